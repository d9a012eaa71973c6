import { Banner } from '@patternfly/react-core';
import { Time } from '../time/time.tsx';

/** Says that what is shown may be old, while the daemon does not answer. Takes no room otherwise. */
export function AwayBanner({ since }: { readonly since: number | undefined }): React.JSX.Element | undefined {
  if (since === undefined) return undefined;
  return (
    <Banner color="yellow" className="remuda-away" screenReaderText="Warning:" role="status">
      No connection to Remuda since <Time at={new Date(since).toISOString()} form="clock" />. What you see may
      be old; running operations go on. Reconnecting by itself…
    </Banner>
  );
}
