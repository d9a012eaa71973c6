import { Button, Popover } from '@patternfly/react-core';
import type { Door } from '../../../../daemon/api/types.ts';
import { texts } from './texts.ts';

/** Which server this is, and how to be sure of it. */
export function ServerLine({ door }: { readonly door: Door }): React.JSX.Element {
  const groups = door.authority.fingerprint.match(/.{1,4}/g) ?? [];
  return (
    <p>
      {door.server} · Remuda {door.release} ·{' '}
      <Popover
        aria-label={texts.fingerprint}
        headerContent={texts.fingerprint}
        bodyContent={
          <>
            <p className="remuda-fingerprint">{groups.join(' ')}</p>
            <p>{texts.fingerprintHelp}</p>
          </>
        }
      >
        <Button variant="link" isInline>
          Is this the right server?
        </Button>
      </Popover>
    </p>
  );
}
