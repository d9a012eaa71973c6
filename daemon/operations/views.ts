import { type MachineRole, machineRoleSchema } from '../../provisioners/contract/machine.ts';
import type { JsonObject } from '../../provisioners/contract/json.ts';
import type { Plan } from '../../provisioners/contract/plan.ts';
import type { ClusterEntry, ClusterRecord } from '../state/clusters.ts';
import { optional } from '../state/columns.ts';
import type { OperationRecord } from '../state/operations.ts';
import type { State } from '../state/state.ts';
import type { StepRecord } from '../state/steps.ts';
import { agreementOf } from './agreement.ts';
import { isSideWork, leavesAlone, mainWork } from './side-work.ts';
import type {
  ClusterDetail,
  ClusterPhase,
  ClusterView,
  OperationDetail,
  OperationView,
  ProviderView,
  StepView,
} from './answers.ts';

/** Shows an operation. `now` in milliseconds since the epoch. */
export function viewOperation(state: State, record: OperationRecord, now: number): OperationView {
  const counts = state.steps.count(record.id, record.planNumber);
  const { planned = 0, running = 0, succeeded = 0, failed = 0, cancelled = 0, kept = 0 } = counts;
  const ended = succeeded + failed + cancelled + kept;
  const from = Date.parse(record.startedAt ?? record.createdAt);
  const isApproval = record.state === 'waiting' && record.waitingFor === 'approval';
  return {
    id: record.id,
    cluster: { uid: record.cluster, name: state.clusters.nameOf(record.cluster) ?? record.cluster },
    kind: record.kind,
    state: record.state,
    isResumable: isResumable(state, record),
    principal: record.principal,
    revision: record.revision,
    planNumber: record.planNumber,
    planHash: state.plans.hash(record.id, record.planNumber) ?? '',
    bypass: record.bypass,
    createdAt: record.createdAt,
    duration: (record.endedAt === undefined ? now : Date.parse(record.endedAt)) - from,
    steps: { total: planned + running + ended, ended, running, failed },
    ...optional('waitingFor', record.waitingFor),
    ...(record.isCancelRequested && record.endedAt === undefined ? { isCancelling: true } : {}),
    ...(isApproval ? { toApprove: namesToApprove(state, record) } : {}),
    ...(isApproval && record.approvalsNeeded > 1 ? { agreement: agreementOf(state, record) } : {}),
    ...optional('waitsUntil', record.waitsUntil),
    ...optional('outsideWindow', record.outsideWindow),
    ...optional('startedAt', record.startedAt),
    ...optional('endedAt', record.endedAt),
    ...optional('problem', record.problem),
    ...optional('supersededBy', record.supersededBy),
  };
}

/** Shows an operation with its steps: those of the plan in force, and what earlier plans have done or still do. */
export function viewOperationDetail(state: State, record: OperationRecord, now: number): OperationDetail {
  const plan = planOf(state, record);
  const planned = new Map(plan.steps.map((step) => [step.id, step]));
  const roles = new Map(rolesRemoved(plan));
  const steps = state.steps.list(record.id);
  for (
    let number = record.planNumber - 1;
    number > 0 && steps.some((step) => !planned.has(step.id));
    number -= 1
  ) {
    const earlier = state.plans.get(record.id, number)?.plan;
    for (const step of earlier?.steps ?? []) if (!planned.has(step.id)) planned.set(step.id, step);
    for (const [name, role] of earlier === undefined ? [] : rolesRemoved(earlier)) roles.set(name, role);
  }
  const shown = steps.filter(
    ({ planNumber, state: how }) =>
      planNumber === record.planNumber || how === 'succeeded' || how === 'kept' || how === 'running',
  );
  const stepList = shown.flatMap((step) => {
    const about = planned.get(step.id);
    return about === undefined ? [] : [viewStep(about, step, roles.get(about.subject))];
  });
  return { ...viewOperation(state, record, now), plan, stepList };
}

/** Names and roles of the machines that a plan removes. */
const rolesRemoved = ({ changes }: Plan): [string, MachineRole][] =>
  changes.flatMap(({ action, subject, detail }) => {
    const role = machineRoleSchema.safeParse(detail).data;
    return action === 'destroy' && role !== undefined ? [[subject, role]] : [];
  });

/** Names of machines that the waiting plan destroys and nobody agreed to. */
export function namesToApprove(state: State, record: OperationRecord): string[] {
  return planOf(state, record).destroys.filter((name) => !record.approved.includes(name));
}

/** Failed or cancelled, not superseded, and nothing came after it but what leaves its work alone. */
export function isResumable(state: State, record: OperationRecord): boolean {
  if (record.state !== 'failed' && record.state !== 'cancelled') return false;
  if (record.supersededBy !== undefined) return false;
  return state.operations.kindsAfter(record.id).every((later) => leavesAlone(later, record.kind));
}

/** Shows a cluster. */
export function viewCluster(state: State, record: ClusterEntry, now: number): ClusterView {
  const revision = state.revisions.head(record.uid);
  const holder = state.operations.holder(record.uid);
  const last = state.operations.newest(record.uid, mainWork);
  const isStopped = last !== undefined && isResumable(state, last);
  const operation = holder ?? (isStopped ? last : state.operations.list(record.uid, 1)[0]);
  return {
    uid: record.uid,
    name: record.name,
    provider: record.provider,
    phase: phaseOf(state, record, holder === undefined || isSideWork(holder.kind) ? last : holder),
    revision: revision?.number ?? 0,
    digest: revision?.digest ?? '',
    createdAt: record.createdAt,
    ...optional('operation', operation && viewOperation(state, operation, now)),
  };
}

/** Shows a cluster with what is asked of it and what was last seen. */
export function viewClusterDetail(
  state: State,
  record: ClusterRecord,
  now: number,
  print: (document: JsonObject) => string,
): ClusterDetail {
  const revision = state.revisions.newest(record.uid);
  return {
    ...viewCluster(state, record, now),
    desired: revision?.document ?? {},
    yaml: revision === undefined ? '' : print(revision.document),
    text: revision?.text ?? '',
    ...optional('observed', record.observed),
  };
}

/** Shows all providers with the clusters they serve. */
export function viewProviders(state: State): ProviderView[] {
  const clusters = state.clusters.list();
  return state.providers.list().map(({ name, type, site, document, updatedAt }) => ({
    name,
    type,
    site,
    document,
    updatedAt,
    clusters: clusters.filter((cluster) => cluster.provider === name).map((cluster) => cluster.name),
  }));
}

function planOf(state: State, record: OperationRecord): Plan {
  const found = state.plans.get(record.id, record.planNumber);
  if (found === undefined) throw new Error(`operation ${record.id} has no plan ${record.planNumber}`);
  return found.plan;
}

const viewStep = (
  about: Plan['steps'][number],
  step: StepRecord,
  role: MachineRole | undefined,
): StepView => ({
  id: step.id,
  kind: about.kind,
  title: about.title,
  phase: about.phase,
  subject: about.subject,
  ...optional('role', role),
  after: about.after,
  destructive: about.destructive,
  state: step.state,
  attempt: step.attempt,
  ...optional('startedAt', step.startedAt),
  ...optional('endedAt', step.endedAt),
  ...optional('changed', step.changed),
  ...optional('waiting', step.waiting),
  ...optional('progress', step.progress),
  ...optional('problem', step.problem),
  ...optional('facts', step.facts),
});

const runningPhases: Readonly<Record<OperationRecord['kind'], ClusterPhase>> = {
  create: 'Provisioning',
  update: 'Updating',
  finalize: 'Updating',
  backup: 'Ready',
  renew: 'Updating',
  rotate: 'Updating',
  restore: 'Updating',
  adopt: 'Updating',
  eject: 'Updating',
  delete: 'Deleting',
};

/** Where a cluster stands on which nothing works just now. */
function restingPhase(state: State, uid: string): ClusterPhase {
  const retired = Object.values(state.retirements.list(uid));
  return retired.some(({ reason, isFenced }) => reason === 'upgraded' && isFenced)
    ? 'AwaitingFinalize'
    : 'Ready';
}

function phaseOf(
  state: State,
  { uid, asAskedAt }: ClusterEntry,
  operation: OperationRecord | undefined,
): ClusterPhase {
  if (operation === undefined) return 'Pending';
  if (operation.state === 'waiting') return 'Waiting';
  if (operation.state === 'planned' || operation.state === 'running') return runningPhases[operation.kind];
  if (operation.state === 'succeeded')
    return operation.kind === 'delete' ? 'Deleted' : restingPhase(state, uid);
  const endedAt = operation.endedAt ?? operation.createdAt;
  return asAskedAt !== undefined && Date.parse(asAskedAt) >= Date.parse(endedAt)
    ? restingPhase(state, uid)
    : 'Failed';
}
