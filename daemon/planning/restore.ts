import { factOf, type PlannedStep, stepId } from '../../provisioners/contract/plan.ts';
import { Blocked, UserProblem } from '../../provisioners/contract/problem.ts';
import type { ProviderMachine } from '../../provisioners/contract/provider.ts';
import { restoredMark } from '../../provisioners/kubernetes/marks.ts';
import { backupFetch } from '../../provisioners/kubernetes/steps/backup-fetch.ts';
import { clusterReconcile } from '../../provisioners/kubernetes/steps/cluster-reconcile.ts';
import { controlPlaneInit } from '../../provisioners/kubernetes/steps/control-plane-init.ts';
import { controlPlaneStart } from '../../provisioners/kubernetes/steps/control-plane-start.ts';
import { controlPlaneStop } from '../../provisioners/kubernetes/steps/control-plane-stop.ts';
import { etcdDataCheck } from '../../provisioners/kubernetes/steps/etcd-data-check.ts';
import { etcdDataRestore } from '../../provisioners/kubernetes/steps/etcd-data-restore.ts';
import { etcdDataSetAside } from '../../provisioners/kubernetes/steps/etcd-data-set-aside.ts';
import { etcdSnapshot } from '../../provisioners/kubernetes/steps/etcd-snapshot.ts';
import { etcdSnapshotPrune } from '../../provisioners/kubernetes/steps/etcd-snapshot-prune.ts';
import { hostKeyReplace } from '../../provisioners/kubernetes/steps/host-key-replace.ts';
import { kubeadmConfigUpload } from '../../provisioners/kubernetes/steps/kubeadm-config-upload.ts';
import { kubeProxyUpdate } from '../../provisioners/kubernetes/steps/kube-proxy-update.ts';
import { machineDestroy } from '../../provisioners/kubernetes/steps/machine-destroy.ts';
import { nodeLabel } from '../../provisioners/kubernetes/steps/node-label.ts';
import { watchesRenew } from '../../provisioners/kubernetes/steps/watches-renew.ts';
import { minorOf } from '../../provisioners/kubernetes/versions.ts';
import { apiPortOf } from './api-port.ts';
import { type MachineReference, settingsFor } from './cluster-plan.ts';
import type { IntentPlan, IntentRequest } from './intents.ts';
import { about, aboutCluster, planStep } from './planned-step.ts';
import { planCluster } from './planner.ts';
import { type RestoreMasters, restoreMasters } from './restore-masters.ts';
import { restoreChanges, restoreNotices } from './restore-texts.ts';

type Request = IntentRequest<'restore'>;

/** A restore in the making: the steps that prepare its target, and how that is named. */
interface Target {
  readonly name: string;
  readonly reference: MachineReference;
  /** The road of a machine that is made for it; empty where a master is left. */
  readonly road: readonly PlannedStep[];
  /** What starts the control plane of a machine that never had one, and marks it as finished. */
  readonly start?: { readonly init: PlannedStep; readonly label: PlannedStep };
}

/** What the snapshot takes beside the former data: itself, what is made of it, and half as much in between. */
const roomFor = (snapshot: number): number => Math.ceil(snapshot * 2.5);

/** What comes before a step, by whatever way. */
function before(steps: readonly PlannedStep[], last: PlannedStep): PlannedStep[] {
  const byId = new Map(steps.map((step) => [step.id, step]));
  const found = new Set<string>();
  const open = [...last.after];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (found.has(id)) continue;
    found.add(id);
    open.push(...(byId.get(id)?.after ?? []));
  }
  return steps.filter(({ id }) => found.has(id));
}

/**
 * The road of a new first master: that of a cluster of one that is made from nothing, up to its control plane. Who is
 * given up is destroyed only when all is ready: until then the names of new machines follow from who is there.
 */
function newTarget(request: Request): Target {
  const { observed, desired } = request;
  const blank = { ...observed, nodes: [], voters: [], marks: {} };
  const { spec } = desired;
  const alone = { ...desired, spec: { ...spec, controlPlane: { ...spec.controlPlane, replicas: 1 } } };
  const fromNothing = {
    ...request,
    desired: alone,
    observed: blank,
    isEstablished: false,
    mayHaveJoined: false,
    halfJoined: [],
  };
  const isExit = (id: string): boolean => id.startsWith(`${machineDestroy.kind}/`);
  const steps = planCluster(fromNothing)
    .steps.filter(({ id }) => !isExit(id))
    .map((step) => ({ ...step, after: step.after.filter((id) => !isExit(id)) }));
  const init = steps.find(({ kind }) => kind === controlPlaneInit.kind);
  const label = steps.find(({ id }) => id === stepId(nodeLabel.kind, init?.subject ?? ''));
  if (init === undefined || label === undefined)
    throw new Error('a cluster from nothing begins without a control plane');
  const reference = factOf(hostKeyReplace, init.subject, 'reference');
  const start = { init, label: { ...label, after: [init.id] } };
  return { name: init.subject, reference, road: before(steps, init), start };
}

/** What is looked at and brought before anything is touched. */
function preparation({ intent }: Request, { answering }: RestoreMasters, target: Target): PlannedStep[] {
  const { key: restore, source } = intent;
  const needs = (name: string): number =>
    name === target.name && source.from === 'backup' ? roomFor(source.bytes) : 0;
  const checks = answering.map((machine) =>
    planStep(etcdDataCheck, about(machine.name), { machine, restore, needs: needs(machine.name) }, []),
  );
  if (source.from === 'survivor') return checks;
  const { destination, id, fileSha256, snapshotSha256, bytes } = source;
  const backup = { destination, id, fileSha256, snapshotSha256, bytes };
  const after = [...checks, ...target.road].map((step) => step.id);
  const input = { machine: target.reference, restore, ...backup };
  return [...checks, planStep(backupFetch, about(target.name), input, after)];
}

/** Nobody serves any more, and what could be started is out of reach: only then the new data is made. */
function replacement(
  { intent, desired }: Request,
  { answering, lost }: RestoreMasters,
  target: Target,
  after: readonly string[],
): PlannedStep[] {
  const restore = intent.key;
  const apiPort = apiPortOf(desired);
  const destroyed = lost.map((name) => planStep(machineDestroy, about(name), { name }, after, 'removal'));
  const stopped = answering.map((machine) =>
    planStep(controlPlaneStop, about(machine.name), { machine, restore, apiPort }, after),
  );
  const silenced = [...destroyed, ...stopped].map(({ id }) => id);
  const aside = answering.map((machine) =>
    planStep(etcdDataSetAside, about(machine.name), { machine, restore }, silenced),
  );
  const source = intent.source.from === 'backup' ? 'snapshot' : 'aside';
  const others = answering.filter(({ name }) => name !== target.name);
  const made = planStep(
    etcdDataRestore,
    about(target.name),
    { machine: target.reference, restore, source, others },
    [...after, ...silenced, ...aside.map(({ id }) => id)],
  );
  const { start } = target;
  const started =
    start === undefined
      ? [planStep(controlPlaneStart, about(target.name), { machine: target.reference, apiPort }, [made.id])]
      : [{ ...start.init, after: [...start.init.after, made.id].toSorted() }, start.label];
  return [...destroyed, ...stopped, ...aside, made, ...started];
}

/**
 * The cluster may have been upgraded since the data was written: machines have only images of their own version on
 * board, so what joins and what is started anew must not be of the version that the data speaks of.
 */
function versionSteps(
  { desired, provider }: Pick<Request, 'desired' | 'provider'>,
  { reference: machine }: Target,
  started: string,
): PlannedStep[] {
  const settings = settingsFor(desired, provider);
  const { kubernetesVersion, apiPort } = settings;
  const access = { masters: [machine], apiPort };
  const proxy = { access, kubernetesVersion, rollout: 'all' } as const;
  return [
    planStep(kubeadmConfigUpload, aboutCluster, { machine, settings, access }, [started]),
    planStep(kubeProxyUpdate, aboutCluster, proxy, [started]),
  ];
}

/** Whatever watched the old data begins anew, and the world is compared with what the data knows. */
function conclusion(
  { intent, desired, provider, observed }: Request,
  machines: readonly ProviderMachine[],
  target: Target,
): PlannedStep[] {
  const access = { masters: [target.reference], apiPort: apiPortOf(desired) };
  const workers = machines.flatMap(({ name, role, state }) => {
    const reference = observed.references[name];
    return role === 'worker' && state === 'running' && reference !== undefined ? [reference] : [];
  });
  const started = stepId(target.start === undefined ? controlPlaneStart.kind : nodeLabel.kind, target.name);
  const told = versionSteps({ desired, provider }, target, started);
  const renewed = planStep(
    watchesRenew,
    aboutCluster,
    {
      access,
      machines: [target.reference, ...workers],
      since: factOf(etcdDataRestore, target.name, 'at'),
      isBumped: factOf(etcdDataRestore, target.name, 'isBumped'),
    },
    told.map(({ id }) => id),
  );
  const compared = planStep(clusterReconcile, aboutCluster, { access, restore: intent.key }, [renewed.id]);
  return [...told, renewed, compared];
}

/** @throws UserProblem where the backup is of another minor: its data may hold what this one cannot read */
function refuseOtherMinor({ intent: { source }, desired }: Request): void {
  if (source.from === 'survivor') return;
  const { version } = desired.spec.kubernetes;
  if (minorOf(source.kubernetesVersion) === minorOf(version)) return;
  throw new UserProblem(
    'PLAN-033',
    `The backup ${source.id} was made of Kubernetes ${source.kubernetesVersion}, and the cluster is to run ${version}`,
    {
      value: source.id,
      remedy: `Choose a backup of ${minorOf(version)}, or ask for ${minorOf(source.kubernetesVersion)} in the cluster's document first.`,
    },
  );
}

/**
 * A cluster back to a backup, or on with the data of one master that is left when the majority is gone. It needs no API
 * server and no etcd. Nothing is stopped before the backup was brought and checked; nothing is restored before nobody
 * can serve the former data. What comes after the first control plane is planned when its API answers, by the
 * cluster's document as always. Pure.
 * @throws Blocked when the provider could not be asked, or a master is neither there nor given up; UserProblem
 */
export function planRestore(request: Request): IntentPlan {
  const { intent, observed } = request;
  if (intent.isServing === true || observed.marks?.[restoredMark] === intent.key) return followUp(request);
  const { machines } = observed;
  if (machines === undefined)
    throw new Blocked(
      'PLAN-002',
      `The provider could not be asked what machines there are. ${observed.unseen.join(' ')}`.trim(),
      { remedy: 'Bring the provider back into reach, then ask again: nothing is restored on a guess.' },
    );
  refuseOtherMinor(request);
  const { asked, ...masters } = restoreMasters(intent, observed, machines);
  const target: Target =
    masters.target === undefined
      ? newTarget(withRetired(request, asked))
      : { name: masters.target.name, reference: masters.target, road: [] };
  const prepared = preparation(request, masters, target);
  const ready = [...target.road, ...prepared].map(({ id }) => id);
  const steps = [
    ...target.road,
    ...prepared,
    ...replacement(request, masters, target, ready),
    ...conclusion(request, machines, target),
  ];
  const isNew = target.start !== undefined;
  return {
    ...(isNew ? { intent: { ...intent, newMaster: target.name } } : {}),
    steps,
    destroys: masters.lost,
    ...(Object.keys(asked).length === 0 ? {} : { retires: asked }),
    notices: restoreNotices(request, masters, { name: target.name, isNew }),
    changes: restoreChanges(request, masters, { name: target.name, isNew }),
    isPartial: true,
  };
}

/** As if those had been sent away before: nobody of them is counted any more. */
const withRetired = (request: Request, asked: Parameters<typeof planCluster>[0]['retire'] = {}): Request => {
  const { observed } = request;
  const since = observed.at;
  const retired = Object.entries(asked).map(
    ([name, retirement]) => [name, { ...retirement, since, isFenced: false }] as const,
  );
  return {
    ...request,
    observed: { ...observed, retired: { ...observed.retired, ...Object.fromEntries(retired) } },
  };
};

/**
 * The restore itself is over: the rest is what the document asks for. The plan carries that it is, or else a moment of
 * silence would look like the beginning, and who joined since would be stopped.
 */
function followUp(request: Request): IntentPlan {
  const { kind: _kind, cluster: _cluster, premises: _premises, ...plan } = planCluster(request);
  return { ...plan, steps: withoutBackup(plan.steps), intent: { ...request.intent, isServing: true } };
}

const ofBackups: ReadonlySet<string> = new Set([etcdSnapshot.kind, etcdSnapshotPrune.kind]);

/**
 * Before the other masters join no backup is taken: what the data came from is still there. It would wait for a server
 * that is away while the cluster has one member; and the oldest backup, which may be this very one, would go for it.
 */
function withoutBackup(steps: readonly PlannedStep[]): PlannedStep[] {
  const left = new Set(steps.filter(({ kind }) => ofBackups.has(kind)).map(({ id }) => id));
  return steps
    .filter(({ id }) => !left.has(id))
    .map((step) => ({ ...step, after: step.after.filter((id) => !left.has(id)) }));
}
