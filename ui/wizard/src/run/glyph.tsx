import type { Standing } from './machines.ts';

/** The word for each standing; shape and colour only repeat it. */
export const standingWords: Readonly<Record<Standing, string>> = {
  planned: 'Planned',
  running: 'Running',
  waiting: 'Waiting',
  done: 'Done',
  failed: 'Failed',
  cancelled: 'Stopped',
};

/** The shape of a standing inside a picture, 16 by 16 around the origin. */
export function StandingShape({ standing }: { readonly standing: Standing }): React.JSX.Element {
  const name = `remuda-glyph remuda-glyph-${standing}`;
  if (standing === 'done')
    return (
      <g className={name}>
        <circle r="7" className="remuda-glyph-body" />
        <path d="M-3.2 0.2 -1 2.4 3.4 -2.2" className="remuda-glyph-mark" />
      </g>
    );
  if (standing === 'failed')
    return (
      <g className={name}>
        <path d="M-3 -7H3L7 -3V3L3 7H-3L-7 3V-3Z" className="remuda-glyph-body" />
        <path d="M-2.5 -2.5 2.5 2.5M2.5 -2.5 -2.5 2.5" className="remuda-glyph-mark" />
      </g>
    );
  if (standing === 'waiting')
    return (
      <g className={name}>
        <path d="M-5 -7H5L0 0 5 7H-5L0 0Z" className="remuda-glyph-body" />
      </g>
    );
  if (standing === 'running')
    return (
      <g className={name}>
        <circle r="6" className="remuda-glyph-track" />
        <path d="M0 -6A6 6 0 0 1 6 0" className="remuda-glyph-turn" />
      </g>
    );
  if (standing === 'cancelled')
    return (
      <g className={name}>
        <rect x="-6" y="-6" width="12" height="12" rx="2" className="remuda-glyph-body" />
        <path d="M-3 0H3" className="remuda-glyph-mark" />
      </g>
    );
  return (
    <g className={name}>
      <circle r="5.5" className="remuda-glyph-track" />
    </g>
  );
}

/** A standing as a small picture. With `isAlone` it also says the word, for places without text beside it. */
export function Glyph(props: {
  readonly standing: Standing;
  readonly isAlone?: boolean;
  readonly label?: string;
}): React.JSX.Element {
  const { standing, isAlone = false, label } = props;
  const name = label ?? standingWords[standing];
  return (
    <svg
      className="remuda-glyph-box"
      viewBox="-8 -8 16 16"
      {...(isAlone ? { role: 'img', 'aria-label': name } : { 'aria-hidden': true })}
    >
      {isAlone ? <title>{name}</title> : undefined}
      <StandingShape standing={standing} />
    </svg>
  );
}
