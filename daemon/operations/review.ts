import { createHash } from 'node:crypto';
import { canonicalJson, type Json } from '../../provisioners/contract/json.ts';
import type { Observed } from '../../provisioners/contract/observed.ts';
import type { Plan, PlannedStep } from '../../provisioners/contract/plan.ts';

/** `sha256:<hex>` of a JSON value's canonical text. */
export const digestOf = (value: Json): string =>
  `sha256:${createHash('sha256').update(canonicalJson(value)).digest('hex')}`;

const asJson = (value: unknown): Json => JSON.parse(JSON.stringify(value)) as Json;

/** Digest of a request, to tell a repeat from another one under the same idempotency key. */
export const digestOfRequest = (request: object): string =>
  digestOf(asJson({ ...request, idempotencyKey: '' }));

/** Hash of a plan: everything but the moment of its observation, so that looking twice at the same gives the same. */
export function planHash(plan: Plan): string {
  const { observedAt: _observedAt, ...premises } = plan.premises;
  return digestOf(asJson({ ...plan, premises }));
}

/** Hash over the plans of one file. A single one keeps its own. */
export function fileHash(hashes: readonly string[]): string {
  return hashes.length === 1 ? (hashes[0] as string) : digestOf([...hashes].sort());
}

/** Whether two planned steps do the same. */
export const isSameStep = (one: PlannedStep, other: PlannedStep): boolean =>
  one.id === other.id &&
  one.kind === other.kind &&
  one.version === other.version &&
  canonicalJson(one.input) === canonicalJson(other.input);

/** How a cluster is reached is no premise: a master that has joined since may be asked as well. */
const withoutAccess = (input: Json): Json => {
  if (input === null || typeof input !== 'object' || Array.isArray(input)) return input;
  const { access: _access, ...rest } = input as { readonly [key: string]: Json };
  return rest;
};

/** Whether a step still is what a plan made now wants, wherever it asks. */
export const isStillWanted = (now: PlannedStep, before: PlannedStep): boolean =>
  isSameStep({ ...now, input: withoutAccess(now.input) }, { ...before, input: withoutAccess(before.input) });

/** The host keys by which a step knows its machine. */
const hostKeysOf = ({ input }: PlannedStep): Json => {
  const { machine } = input as { readonly machine?: { readonly hostKeys?: Json } };
  return machine?.hostKeys ?? [];
};

/** What is different in a step that is in both plans. */
const changeOf = (before: PlannedStep, after: PlannedStep): string =>
  canonicalJson(hostKeysOf(before)) === canonicalJson(hostKeysOf(after))
    ? `changed step: ${after.title}`
    : `${after.subject} shows another SSH host key than when the plan was reviewed`;

const differences = (
  what: string,
  before: Readonly<Record<string, string>>,
  after: Readonly<Record<string, string>>,
): string[] => {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return names.flatMap((name) => {
    if (before[name] === after[name]) return [];
    if (before[name] === undefined)
      return [`${what} ${name} is there now and was not when the plan was reviewed`];
    if (after[name] === undefined)
      return [`${what} ${name} was there when the plan was reviewed and is gone`];
    return [`${what} ${name} is another than when the plan was reviewed`];
  });
};

/** What a person should know about how a plan differs from the one that was reviewed, a sentence each. */
export function changesBetween(before: Plan, after: Plan): string[] {
  const said = [
    ...(before.premises.revision === after.premises.revision ? [] : ['what is asked for is not the same']),
    ...differences('machine', before.premises.machines, after.premises.machines),
    ...differences('etcd member', before.premises.members ?? {}, after.premises.members ?? {}),
    ...differences('version of', before.premises.versions, after.premises.versions),
  ];
  const old = new Map(before.steps.map((step) => [step.id, step]));
  for (const step of after.steps) {
    const same = old.get(step.id);
    if (same === undefined) said.push(`new step: ${step.title}`);
    else if (!isSameStep(same, step)) said.push(changeOf(same, step));
    old.delete(step.id);
  }
  return [...said, ...[...old.values()].map((step) => `no longer a step: ${step.title}`)];
}

/** Whether a step brings another version to a machine where it stands. */
export const isUpgradeInPlace = ({ kind }: { readonly kind: string }): boolean =>
  kind === 'control-plane.upgrade' || kind === 'kubelet.upgrade';

/** `general-3` and `w3` belong to the groups `general` and `w`: the planner numbers the machines of a group. */
const groupOf = (machine: string): string => machine.replace(/-?\d+$/, '');

/**
 * Whether a plan needs confirmation by the cluster's name (DESIGN §3): it deletes the cluster, gives it away,
 * takes it over from another, restores its data,
 * upgrades machines where they stand, destroys a master or a whole worker group, or more machines
 * than `destroyLimit`.
 */
export function needsConfirmation(
  plan: Plan,
  observed: Pick<Observed, 'machines'>,
  destroyLimit: number,
): boolean {
  if (plan.kind === 'delete' || plan.kind === 'restore' || plan.kind === 'eject') return true;
  if (plan.intent?.kind === 'adopt' && plan.intent.takesOver) return true;
  // A master that is kept for inspection is one less all the same.
  if (plan.steps.some(({ kind }) => kind === 'etcd-member.remove')) return true;
  // Upgraded in place: nothing leads back from the first of these steps on.
  if (plan.steps.some(isUpgradeInPlace)) return true;
  const destroyed = new Set(plan.destroys);
  if (destroyed.size === 0) return false;
  if (destroyed.size > destroyLimit) return true;
  const machines = observed.machines ?? [];
  // What is destroyed without having been seen may be anything.
  if ([...destroyed].some((name) => machines.find((machine) => machine.name === name)?.role !== 'worker'))
    return true;
  const remaining = machines.filter((machine) => !destroyed.has(machine.name));
  return [...destroyed].some((name) => !remaining.some((machine) => groupOf(machine.name) === groupOf(name)));
}
