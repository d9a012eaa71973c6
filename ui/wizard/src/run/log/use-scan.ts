import { useEffect, useState } from 'react';
import { type LineFilter, LineScan } from './line-scan.ts';
import type { LineStore } from './line-store.ts';

/** The lines that a filter shows; the component is drawn again as the scan gets on, once a frame at most. */
export function useScan(store: LineStore, filter: LineFilter): LineScan {
  const [, setDrawn] = useState(0);
  const [scan] = useState(() => new LineScan(store));
  useEffect(() => {
    let frame = 0;
    scan.start(() => {
      if (frame === 0)
        frame = requestAnimationFrame(() => {
          frame = 0;
          setDrawn((count) => count + 1);
        });
    });
    return () => {
      cancelAnimationFrame(frame);
      scan.stop();
    };
  }, [scan]);
  useEffect(() => scan.use(filter), [scan, filter]);
  useEffect(() => store.onChange(() => scan.wake()), [scan, store]);
  return scan;
}
