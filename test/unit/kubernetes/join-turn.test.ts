import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { KubernetesObject } from '../../../provisioners/contract/ports/kubernetes.ts';
import { Blocked, Problem } from '../../../provisioners/contract/problem.ts';
import type { StepContext } from '../../../provisioners/contract/step.ts';
import { endTurn, requireRoomForOne, takeTurn } from '../../../provisioners/kubernetes/join-turn.ts';
import { FakeWorld, machineNamed, memberNamed } from './fake-context.ts';

class Crash extends Error {}

/** Marks in a cluster, every call to it in an order that the scheduler chooses; a call may be the process's last. */
class Marks {
  readonly objects = new Map<string, KubernetesObject>();
  now = Date.parse('2026-11-21T05:00:00.000Z');
  readonly #turn: (what: string) => Promise<void>;
  #calls = 0;
  readonly #crashes: ReadonlyMap<number, 'before' | 'after'>;

  constructor(turn: (what: string) => Promise<void>, crashes: ReadonlyMap<number, 'before' | 'after'>) {
    this.#turn = turn;
    this.#crashes = crashes;
  }

  async #call<Value>(what: string, act: () => Value): Promise<Value> {
    await this.#turn(what);
    const crash = this.#crashes.get((this.#calls += 1));
    if (crash === 'before') throw new Crash();
    const value = act();
    await this.#turn(`${what} answers`);
    if (crash === 'after') throw new Crash();
    return value;
  }

  context(): StepContext {
    const parts: Partial<Record<keyof StepContext, unknown>> = {
      kubernetes: {
        list: () => this.#call('list', () => [...this.objects.values()]),
        apply: (_access: unknown, [object]: readonly KubernetesObject[]) =>
          this.#call('apply', () => {
            if (object !== undefined) this.objects.set(object.metadata.name, object);
          }),
        remove: (_access: unknown, { name }: { readonly name: string }) =>
          this.#call('remove', () => {
            this.objects.delete(name);
          }),
      },
      now: () => new Date(this.now).toISOString(),
      sleep: async (duration: number) => {
        await this.#turn('sleep');
        this.now += duration;
      },
    };
    return parts as StepContext;
  }
}

const access = { masters: [machineNamed('c-cp-1')], apiPort: 6444 };

describe('whose turn it is to join', () => {
  it('never two at once and everybody in the end, in whatever order calls arrive and processes die (complaint 5)', async () => {
    const crashes = fc.array(
      fc.tuple(fc.integer({ min: 1, max: 60 }), fc.constantFrom('before' as const, 'after' as const)),
      { maxLength: 4 },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.integer({ min: 2, max: 4 }),
        crashes,
        async (scheduler, count, dying) => {
          const turn = (what: string): Promise<void> => scheduler.schedule(Promise.resolve(), what);
          const marks = new Marks(turn, new Map(dying));
          const joining = new Set<string>();
          const joined = new Set<string>();
          let most = 0;
          const attempt = async (name: string): Promise<void> => {
            const machine = machineNamed(name);
            await takeTurn(marks.context(), machine, access);
            joining.add(name);
            most = Math.max(most, joining.size);
            await turn(`${name} joins`);
            // It is over from the moment at which the next may see it.
            joining.delete(name);
            await endTurn(marks.context(), machine, access);
            joined.add(name);
          };
          const go = async (name: string): Promise<void> => {
            for (let tries = 0; tries < 200 && !joined.has(name); tries += 1) {
              try {
                await attempt(name);
              } catch (thrown) {
                if (!(thrown instanceof Crash) && !(thrown instanceof Blocked)) throw thrown;
                // What a dead process was in the middle of goes on on the machine.
                await turn(`${name} tries again`);
                marks.now += 1000;
              }
            }
          };
          const names = Array.from({ length: count }, (_, at) => `c-cp-${at + 2}`);
          const all = Promise.all(names.map(go));
          await scheduler.waitFor(all);
          expect(most).toBe(1);
          expect([...joined].toSorted()).toEqual(names);
          expect(marks.objects.size).toBe(0);
        },
      ),
      { numRuns: 150 },
    );
  });
});

describe('room for one more voter', () => {
  const joiner = machineNamed('c-cp-9', '10.0.0.99');

  it('is there only if the quorum holds even when the joiner never starts (complaint 6)', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.boolean(), { minLength: 1, maxLength: 7 }),
        fc.boolean(),
        async (health, hasLearners) => {
          const world = new FakeWorld();
          world.members = health.map((healthy, at) => memberNamed(`m${at}`, `10.0.1.${at}`, { healthy }));
          const well = health.filter(Boolean).length;
          const voting = hasLearners ? health.length : health.length + 1;
          const isSafe = well >= Math.floor(voting / 2) + 1 || (health.length === 1 && well === 1);
          const looked = requireRoomForOne(world.context(), joiner, access, hasLearners);
          const problem = await looked.then(
            () => undefined,
            (thrown: unknown) => thrown,
          );
          expect(problem instanceof Problem ? problem.report.code : problem).toBe(
            isSafe ? undefined : 'MASTER-002',
          );
        },
      ),
    );
  });
});
