import { z } from 'zod';
import { Blocked } from '../../contract/problem.ts';
import type { LedgerEntry, TeardownPolicy } from '../../contract/provider.ts';
import { defineStep, type StepContext } from '../../contract/step.ts';
import { lengthy } from '../limits.ts';
import { type Released, releasedSchema } from '../../contract/released.ts';

const entrySchema = z.object({ type: z.string(), id: z.string(), name: z.string() });

/** The three lists of a teardown as facts ({@link import('../../contract/provider.ts').TeardownProof}). */
const proofSchema = z.object({
  gone: z.array(entrySchema),
  kept: z.array(entrySchema.extend({ policy: z.string() })),
  left: z.array(entrySchema.extend({ why: z.string() })),
});
type Proof = z.infer<typeof proofSchema>;

const inputSchema = z.strictObject({
  /** What was there when the deletion was planned. */
  expected: z.array(z.strictObject({ type: z.string(), id: z.string(), name: z.string() })),
  /** What becomes of volumes; `retain` when absent, as in inputs of version 1. */
  volumes: z.enum(['retain', 'delete']).exactOptional(),
  /** What the cluster's own API told of balancers and volumes, as far as it was asked. */
  released: z.array(releasedSchema).exactOptional(),
  /** The cluster had an API once: what was not asked of it may have made things. */
  wasServing: z.boolean().exactOptional(),
});
type Input = z.infer<typeof inputSchema>;

/** The newest word of each kind: what this operation found out stands behind what an earlier one did. */
const toldOf = ({ released = [] }: Input): Released[] => [
  ...new Map(released.map((one) => [one.of, one])).values(),
];

function policyOf(input: Input): TeardownPolicy {
  const { volumes = 'retain' } = input;
  return { volumes, keep: toldOf(input).flatMap(({ kept }) => kept.map(({ id }) => id)) };
}

/** Providers have words of their own for a volume or a balancer: the handle is what both know. */
const isSame = (one: LedgerEntry, other: { readonly id: string }): boolean => one.id === other.id;

/** What could be made only by controllers, and nobody could be asked about. */
function unknown(of: Released['of'], provider: string): Proof['left'][number] {
  const [type, name, whose] =
    of === 'balancers'
      ? ['load balancer', "of the cluster's Services", 'Services']
      : ['volume', "of the cluster's claims", 'volume claims'];
  return {
    type,
    id: 'unknown',
    name,
    why: `its API did not answer any more, so nobody could ask what its ${whose} had made; look for it at the provider (${provider})`,
  };
}

/** The three lists, once nothing stray is in the ledger. */
function judge({ provider }: StepContext, input: Input, ledger: readonly LedgerEntry[]): Proof {
  const { expected, wasServing = false } = input;
  const released = toldOf(input);
  const isThere = (entry: { readonly id: string }): boolean => ledger.some((one) => isSame(one, entry));
  const kept = released.flatMap((one) => one.kept);
  const others = ledger.filter((one) => !kept.some((entry) => isSame(one, entry)));
  // Where the ledger finds everything of a kind, what it does not find is gone, whoever could not be waited for.
  const left = released.flatMap((one) => (provider.covers.includes(one.of) ? [] : one.left));
  const proven = released.flatMap((one) => (provider.covers.includes(one.of) ? one.left : []));
  const silent = (['balancers', 'volumes'] as const).filter(
    (of) => wasServing && !provider.covers.includes(of) && !released.some((one) => one.of === of),
  );
  return {
    gone: [
      ...expected.filter((entry) => !isThere(entry)),
      ...released.flatMap((one) => one.gone),
      ...proven.filter((entry) => !isThere(entry)).map(({ type, id, name }) => ({ type, id, name })),
    ],
    kept: [...kept, ...others.map(({ type, id, name, policy = '' }) => ({ type, id, name, policy }))],
    left: [...left, ...silent.map((of) => unknown(of, provider.type))],
  };
}

/** Proves that nothing with the cluster's tag is left, whatever made it; what is left is swept first. */
export const teardownProve = defineStep<Input, Proof>({
  kind: 'teardown.prove',
  version: 2,
  nature: 'ensure',
  phase: 'teardown',
  destructive: true,
  title: () => 'Prove that nothing is left',
  schema: inputSchema,
  limits: lengthy,
  async observe(context, input) {
    const ledger = await context.provider.ledger(context.cluster, policyOf(input));
    const stray = ledger.filter((entry) => entry.policy === undefined);
    if (stray.length > 0) {
      const names = stray.map((entry) => `${entry.type} ${entry.name}`).join(', ');
      return {
        state: 'todo',
        why: `${stray.length} things with the cluster's tag are still there: ${names}`,
      };
    }
    return { state: 'done', facts: judge(context, input, ledger) };
  },
  async apply(context, input) {
    const { left } = await context.provider.sweep(context.cluster, context.signal, policyOf(input));
    if (left.length === 0) return;
    const list = left.map(({ type, name, why }) => `${type} ${name}: ${why}`);
    throw new Blocked('TEARDOWN-001', `${left.length} things could not be removed: ${list.join('; ')}`, {
      remedy: 'Remove them at the provider or mend the reason, then resume the operation.',
    });
  },
});
