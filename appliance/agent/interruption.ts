/** Thrown when the agent itself ends: the attempt stays open for the next process. */
export class AgentStopped extends Error {
  override readonly name = 'AgentStopped';
}

/** Thrown into waits when a person cancels. */
export class StepCancelled extends Error {
  override readonly name = 'StepCancelled';
}

/** Thrown into everything when the step's hard limit is over. */
export class HardLimit extends Error {
  override readonly name = 'HardLimit';
}

/** Whether a signal was aborted by an error of a class. */
export function isAborted(signal: AbortSignal, by: new () => Error): boolean {
  return signal.aborted && signal.reason instanceof by;
}

/** The promise, or the signal's reason as soon as it aborts (after `patience` when given: work may want to end well). */
export async function unlessAborted<T>(
  work: Promise<T>,
  signal: AbortSignal,
  patience?: () => Promise<void>,
): Promise<T> {
  let onAbort = (): void => {};
  const aborted = new Promise<never>((_resolve, reject) => {
    const end = (): void => reject(signal.reason as Error);
    onAbort = () => {
      if (patience === undefined || signal.reason instanceof AgentStopped) end();
      else patience().then(end, end);
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
    // Whichever lost the race may still reject; nobody waits for it any more.
    work.catch(() => {});
    aborted.catch(() => {});
  }
}
