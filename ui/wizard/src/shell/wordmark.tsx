/** A horseshoe with its nails, and the name. Drawn, so that it is sharp at any size and takes the text's colour. */
export function Wordmark({ isLarge = false }: { readonly isLarge?: boolean }): React.JSX.Element {
  return (
    <span className={isLarge ? 'remuda-wordmark remuda-wordmark-large' : 'remuda-wordmark'}>
      <svg viewBox="0 0 32 32" aria-hidden="true" focusable="false">
        <path d="M9 27.5C4.5 23.6 3 18.6 3 14.5 3 7.6 8.8 2.5 16 2.5s13 5.1 13 12c0 4.1-1.5 9.1-6 13l-3.7-3.3c3.1-3 4.5-6.3 4.5-9.7 0-4.1-3.4-7-7.8-7s-7.8 2.9-7.8 7c0 3.4 1.4 6.7 4.5 9.7z" />
        <g className="remuda-wordmark-nails">
          <circle cx="5.7" cy="14" r="1" />
          <circle cx="8.1" cy="8.2" r="1" />
          <circle cx="13.6" cy="5" r="1" />
          <circle cx="18.4" cy="5" r="1" />
          <circle cx="23.9" cy="8.2" r="1" />
          <circle cx="26.3" cy="14" r="1" />
        </g>
      </svg>
      Remuda
    </span>
  );
}
