import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import type { EngineEvent } from '../../../../daemon/api/types.ts';
import { get } from './http.ts';
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
    let stream: LiveStream | undefined;
    let isStopped = false;
    let gathering: ReturnType<typeof setTimeout> | undefined;
    let telling: ReturnType<typeof setTimeout> | undefined;
    const renew = (): void => {
      gathering = undefined;
      const touchedKeys = [...stale.current.values()];
      stale.current.clear();
      for (const queryKey of touchedKeys) void client.invalidateQueries({ queryKey });
    };
    const follow = async (): Promise<void> => {
      const after = await newestEvent();
      if (isStopped) return;
      stream = new LiveStream(
        { events: { after } },
        {
          batch({ events }) {
            for (const event of events)
              for (const key of touched(event)) stale.current.set(key.join('/'), key);
            gathering ??= setTimeout(renew, gatherFor);
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
    };
    void follow();
    return () => {
      isStopped = true;
      clearTimeout(gathering);
      clearTimeout(telling);
      stream?.stop();
    };
  }, [client]);
  return awaySince;
}

/** Number of the newest event, so that only what comes is followed; 0 when the daemon does not say. */
async function newestEvent(): Promise<number> {
  try {
    const { last } = await get<{ readonly last?: number }>('/api/v1/events', {
      query: { after: Number.MAX_SAFE_INTEGER, limit: 1 },
      isBackground: true,
    });
    return last ?? 0;
  } catch {
    return 0;
  }
}
