import { Fragment } from 'react';

/** A sentence of the schema: words between backticks are code. */
export function HelpText({ text }: { readonly text: string }): React.JSX.Element {
  const parts = text.split('`').map((part, place) => ({ part, place }));
  return (
    <>
      {parts.map(({ part, place }) => (
        <Fragment key={place}>{place % 2 === 1 ? <code>{part}</code> : part}</Fragment>
      ))}
    </>
  );
}
