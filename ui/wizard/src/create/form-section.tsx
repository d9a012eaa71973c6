import type { ReactNode } from 'react';

/** A part of a step's form under a heading of its own. */
export function FormSection(props: {
  readonly id: string;
  readonly title: string;
  readonly intro?: string;
  readonly children: ReactNode;
}): React.JSX.Element {
  const { id, title, intro } = props;
  return (
    <section className="remuda-form-section" aria-labelledby={id}>
      <h3 id={id}>{title}</h3>
      {intro === undefined ? undefined : <p className="remuda-subtle">{intro}</p>}
      {props.children}
    </section>
  );
}
