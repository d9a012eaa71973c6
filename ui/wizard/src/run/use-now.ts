import { useEffect, useState } from 'react';

/** The server's time, once a second while `isTicking`; milliseconds since 1970. */
export function useNow(isTicking: boolean, skew: number): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (!isTicking) return;
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [isTicking]);
  return now + skew;
}
