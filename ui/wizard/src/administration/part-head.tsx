import type { ReactNode } from 'react';

/** What a part is about, and the one thing that is begun there. */
export function PartHead(props: {
  readonly intro: string;
  readonly children?: ReactNode;
}): React.JSX.Element {
  return (
    <div className="remuda-part-head">
      <p>{props.intro}</p>
      {props.children}
    </div>
  );
}
