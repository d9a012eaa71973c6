import type { Observed, OperationDetail, StepView } from '../../../../daemon/api/types.ts';

/** What a machine, a step or a phase is doing. Each has a shape, a word and a colour of its own. */
export type Standing = 'planned' | 'running' | 'waiting' | 'done' | 'failed' | 'cancelled';

/** What etcd says of a master's member. */
export type Membership = 'leader' | 'voter' | 'learner' | 'unstarted' | 'unhealthy';

/** A machine of the run: what is being done to it, and what was last seen of it. */
export interface RunMachine {
  readonly name: string;
  readonly role: 'control-plane' | 'etcd' | 'worker';
  readonly standing: Standing;
  /** What it does or is, in a few words. */
  readonly detail: string;
  readonly done: number;
  readonly total: number;
  readonly membership?: Membership;
  readonly address?: string;
  readonly version?: string;
}

/** Where a step stands, for people: a running step that awaits something waits. */
export function standingOf(step: Pick<StepView, 'state' | 'waiting'>): Standing {
  if (step.state === 'running') return step.waiting === undefined ? 'running' : 'waiting';
  if (step.state === 'succeeded' || step.state === 'kept') return 'done';
  return step.state;
}

/** Where many steps stand together: the worst that somebody should see first. */
export function standingOfAll(steps: readonly Pick<StepView, 'state' | 'waiting'>[]): Standing {
  const standings = new Set(steps.map(standingOf));
  for (const standing of ['failed', 'waiting', 'running', 'cancelled'] as const)
    if (standings.has(standing)) return standing;
  return standings.has('planned') ? 'planned' : 'done';
}

/** The machines of an operation, masters first, then those of etcd alone, in the order of their names. */
export function machinesOf(operation: OperationDetail, observed: Observed | undefined): RunMachine[] {
  const steps = Map.groupBy(operation.stepList, (step) => step.subject);
  steps.delete('cluster');
  const masters = new Set(observed?.nodes?.filter((node) => node.controlPlane).map((node) => node.name));
  const etcd = new Set<string>();
  for (const machine of observed?.machines ?? []) {
    if (machine.role === 'control-plane') masters.add(machine.name);
    if (machine.role === 'etcd') etcd.add(machine.name);
  }
  for (const [name, about] of steps)
    if (about.some((step) => step.role === 'etcd' || step.kind === 'etcd-kubelet.start')) etcd.add(name);
    else if (about.some((step) => step.role === 'control-plane' || isMasterWork(step))) masters.add(name);
  const names = new Set([
    ...steps.keys(),
    ...(observed?.machines ?? []).map(({ name }) => name),
    ...(observed?.nodes ?? []).map(({ name }) => name),
  ]);
  const roleOf = (name: string): RunMachine['role'] => {
    if (etcd.has(name)) return 'etcd';
    return masters.has(name) ? 'control-plane' : 'worker';
  };
  const all = [...names].map((name) => machineOf(name, roleOf(name), steps.get(name) ?? [], observed));
  const byName = new Intl.Collator('en', { numeric: true });
  const rank = ({ role }: RunMachine): number => ['control-plane', 'etcd', 'worker'].indexOf(role);
  return all.sort((one, other) => rank(one) - rank(other) || byName.compare(one.name, other.name));
}

const isMasterWork = ({ kind }: StepView): boolean =>
  /^(?:control-plane|endpoint|pki|etcd-member|api-server)\./.test(kind);

function machineOf(
  name: string,
  role: RunMachine['role'],
  steps: readonly StepView[],
  observed: Observed | undefined,
): RunMachine {
  const node = observed?.nodes?.find((candidate) => candidate.name === name);
  const seen = observed?.machines?.find((candidate) => candidate.name === name);
  const address = node?.internalAddress ?? seen?.address ?? addressIn(steps);
  const isRemoved = steps.some((step) => step.kind === 'machine.destroy' && standingOf(step) === 'done');
  // What was seen before says nothing of a machine that is gone.
  const membership = isRemoved ? undefined : membershipOf(name, observed);
  return {
    name,
    role,
    ...standingAndDetail(steps, node, seen?.state),
    done: steps.filter((step) => standingOf(step) === 'done').length,
    total: steps.length,
    ...(membership === undefined ? {} : { membership }),
    ...(address === undefined ? {} : { address }),
    ...(node === undefined ? {} : { version: node.kubeletVersion }),
  };
}

type Node = NonNullable<Observed['nodes']>[number];

function standingAndDetail(
  steps: readonly StepView[],
  node: Node | undefined,
  seen: string | undefined,
): Pick<RunMachine, 'standing' | 'detail'> {
  const telling =
    steps.find((step) => standingOf(step) === 'failed') ??
    steps.find((step) => standingOf(step) === 'waiting') ??
    steps.find((step) => standingOf(step) === 'running');
  if (telling !== undefined) return { standing: standingOf(telling), detail: shortTitle(telling) };
  if (steps.length > 0 && steps.every((step) => standingOf(step) === 'done')) {
    const isGone = steps.some((step) => step.kind === 'machine.destroy');
    if (isGone) return { standing: 'done', detail: 'Removed' };
    return { standing: 'done', detail: node?.ready === true ? 'Ready' : 'Done' };
  }
  if (steps.some((step) => standingOf(step) === 'cancelled'))
    return { standing: 'cancelled', detail: 'Stopped' };
  if (steps.some((step) => standingOf(step) === 'done'))
    return { standing: 'planned', detail: 'Next steps follow' };
  if (steps.length > 0) return { standing: 'planned', detail: 'Not begun' };
  if (node !== undefined)
    return node.ready
      ? { standing: 'done', detail: 'Ready' }
      : { standing: 'failed', detail: node.notReadyBecause ?? 'Not ready' };
  return { standing: seen === 'running' ? 'done' : 'planned', detail: seen ?? 'Unseen' };
}

function membershipOf(name: string, observed: Observed | undefined): Membership | undefined {
  const member = observed?.voters?.find((candidate) => candidate.name === name);
  if (member === undefined) return undefined;
  if (member.leader) return 'leader';
  if (member.learner) return 'learner';
  if (!member.started) return 'unstarted';
  return member.healthy ? 'voter' : 'unhealthy';
}

/** The address that making the machine has found, before anybody has looked at the whole cluster. */
function addressIn(steps: readonly StepView[]): string | undefined {
  for (const { facts } of steps) {
    const address = (facts as { readonly address?: unknown } | null | undefined)?.address;
    if (typeof address === 'string') return address;
  }
  return undefined;
}

/** A step's title without the machine it is about, for places that name the machine already. */
export function shortTitle({ title, subject }: Pick<StepView, 'title' | 'subject'>): string {
  if (subject === 'cluster') return title;
  for (const link of [' on ', ' of ', ' from ', ' to ', ' '])
    if (title.endsWith(`${link}${subject}`)) return title.slice(0, -(link.length + subject.length));
  return title.replace(` ${subject} `, ' ');
}
