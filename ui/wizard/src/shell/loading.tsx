import { Bullseye, Spinner } from '@patternfly/react-core';

/** A quiet sign that a page is on its way; it shows only when that takes noticeably long (remuda.css). */
export function Loading(): React.JSX.Element {
  return (
    <Bullseye className="remuda-loading">
      <Spinner size="lg" aria-label="Loading" />
    </Bullseye>
  );
}
