import type { AgentMemory } from '../unit/operations/fake-agent.ts';
import type { TinyFile } from '../unit/operations/tiny-planners.ts';

/** What the outside world knew at a moment of the traced run. */
export type Marker =
  | { readonly type: 'agent'; readonly memory: AgentMemory }
  /** The user was told that the operation exists. */
  | { readonly type: 'answered'; readonly operation: string }
  /** The user was told that it succeeded. */
  | { readonly type: 'ended'; readonly operation: string };

/** A small graph with parallel branches, a fact and an act. */
export const cutFile: TinyFile = {
  name: 'one',
  things: [
    { id: 'a', after: [] },
    { id: 'b', after: ['a'], fact: 'a' },
    { id: 'c', after: ['a'] },
    { id: 'd', after: ['b', 'c'] },
    { id: 'hook', after: ['b'], isAct: true },
    { id: 'e', after: [] },
  ],
};
