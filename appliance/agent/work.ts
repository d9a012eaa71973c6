import type { Ports } from '../../provisioners/contract/ports.ts';
import type { KeptConnections } from './kept-connections.ts';
import type { AttemptKey, ClusterContext } from './protocol/dispatch.ts';

/**
 * One attempt as the ports see it: whom it is for and how to speak of it. The runner makes it; the real adapters and
 * the simulated fleet get the same.
 */
export interface Work {
  readonly key: AttemptKey;
  /** Epoch of the dispatch: machines refuse an older one than they have seen. */
  readonly epoch: number;
  readonly context: ClusterContext;
  /** Connections to the cluster that are used again over many questions; attempts have none. */
  readonly connections?: KeptConnections;
  /** Aborts when waits must end: cancel (while observing), the hard limit, or the agent's own stop. */
  readonly signal: AbortSignal;
  /** A line for the operation's log. */
  log(text: string, machine?: string): void;
  /** Everything logged from now on has this text blacked out. */
  hide(secret: string): void;
  /**
   * Lines that a command on a machine printed, with the offset (bytes) in its output that follows them. Lines and
   * offset become durable together, so that whoever streams on neither loses nor repeats a line.
   */
  output(stream: string, lines: readonly string[], offset: number, machine?: string): void;
  /** The offset up to which the stream's output has been taken; 0 at the beginning. */
  outputOffset(stream: string): number;
}

/** Makes the ports for one attempt. Called once an attempt, also after a restart. */
export type PortsFactory = (work: Work) => Ports;
