import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import type { EngineEvent } from '../../../../daemon/api/types.ts';
import { LiveStream } from './live.ts';
import { keys } from './queries.ts';

/** Events come in bursts; what they touch is asked for once per burst, milliseconds. */
const gatherFor = 300;
/** A cut shorter than this is nobody's business, milliseconds. */
const awayAfter = 2_000;

/** Which kinds of answers an event makes stale. */
function touched(event: EngineEvent): readonly (readonly string[])[] {
  const [noun] = event.type.split('.');
  if (noun === 'provider' || noun === 'agent' || noun === 'secret') return [keys.supplies];
  return [keys.clusters, keys.operations];
}

/**
 * Follows what happens at the daemon and has everything that is shown looked at again when it changed.
 * @returns since when the daemon is away, milliseconds since 1970; undefined while it answers.
 */
export function useLiveRenewal(): number | undefined {
  const client = useQueryClient();
  const [awaySince, setAwaySince] = useState<number>();
  const stale = useRef(new Map<string, readonly string[]>());
  useEffect(() => {
    let gathering: ReturnType<typeof setTimeout> | undefined;
    let telling: ReturnType<typeof setTimeout> | undefined;
    const renew = (): void => {
      gathering = undefined;
      const touchedKeys = [...stale.current.values()];
      stale.current.clear();
      for (const queryKey of touchedKeys) void client.invalidateQueries({ queryKey });
    };
    const stream = new LiveStream(
      // From now on: what is shown was asked for a moment ago.
      { events: {} },
      {
        batch({ events }) {
          for (const event of events) for (const key of touched(event)) stale.current.set(key.join('/'), key);
          gathering ??= setTimeout(renew, gatherFor);
        },
        presence({ draft, who }) {
          client.setQueryData(keys.viewers(draft), who);
        },
        away(since) {
          telling = setTimeout(() => setAwaySince(since), awayAfter);
        },
        back() {
          clearTimeout(telling);
          setAwaySince(undefined);
          void client.invalidateQueries();
        },
      },
    );
    return () => {
      clearTimeout(gathering);
      clearTimeout(telling);
      stream.stop();
    };
  }, [client]);
  return awaySince;
}
