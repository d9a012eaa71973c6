import type { State } from '../state/state.ts';
import type { Planners } from './planners.ts';
import { knownDocuments } from './preparation.ts';
import type { FileRequest } from './requests.ts';

/** Name of the turn that new labs take; no cluster can be called so. */
const newLabs = '(new labs)';

/** The turns that a file's request takes: one for each of its clusters, and one more for what they choose by looking. */
export function turnsOf(request: FileRequest, planners: Planners, state: State): string[] {
  const { clusters, providers } = planners.parse(request.text, request.file, knownDocuments(state));
  const names = clusters.map((cluster) => cluster.name);
  const typeOf = (name: string): string | undefined =>
    (providers.find((provider) => provider.name === name)?.config ?? state.providers.get(name))?.type;
  // The subnet of a new lab is chosen beside those that are kept: the next one must see what this one took.
  const makesLab = clusters.some(
    ({ name, provider }) => state.clusters.find(name) === undefined && typeOf(provider) === 'lab',
  );
  return makesLab ? [...names, newLabs] : names;
}

/** Lets requests about the same name go one after another, and those about different names side by side. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Runs `act` when everything before it under any of the names has ended, well or not. */
  async take<T>(names: readonly string[], act: () => Promise<T>): Promise<T> {
    const before = names.map((name) => this.#last.get(name));
    const mine = Promise.allSettled(before).then(act);
    const settled = mine.catch(() => undefined);
    for (const name of names) this.#last.set(name, settled);
    try {
      return await mine;
    } finally {
      for (const name of names) if (this.#last.get(name) === settled) this.#last.delete(name);
    }
  }
}
