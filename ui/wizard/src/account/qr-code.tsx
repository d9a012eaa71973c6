import { encode } from 'uqr';

/** Modules of white around the code: a reader needs four (ISO/IEC 18004, 6.3.8). */
const quietZone = 4;

/**
 * A text as QR code: drawn here, nothing is fetched, and as elements instead of markup, so that the content security
 * policy has nothing to allow. Dark on white in both themes: many readers know no other.
 */
export function QrCode(props: { readonly text: string; readonly label: string }): React.JSX.Element {
  const { data, size } = encode(props.text, { border: quietZone });
  const dark = data.flatMap((row, y) => row.flatMap((isDark, x) => (isDark ? [`M${x} ${y}h1v1h-1z`] : [])));
  return (
    <svg className="remuda-qr" role="img" aria-label={props.label} viewBox={`0 0 ${size} ${size}`}>
      <rect width={size} height={size} fill="#fff" />
      <path d={dark.join('')} fill="#000" shapeRendering="crispEdges" />
    </svg>
  );
}
