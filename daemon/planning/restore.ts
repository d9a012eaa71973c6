import { factOf, type PlannedStep } from '../../provisioners/contract/plan.ts';
import { Blocked, UserProblem } from '../../provisioners/contract/problem.ts';
import type { ProviderMachine } from '../../provisioners/contract/provider.ts';
import { restoredMark } from '../../provisioners/kubernetes/marks.ts';
import { authoritiesPublish } from '../../provisioners/kubernetes/steps/authorities-publish.ts';
import { backupFetch } from '../../provisioners/kubernetes/steps/backup-fetch.ts';
import { clusterReconcile } from '../../provisioners/kubernetes/steps/cluster-reconcile.ts';
import { controlPlaneStop } from '../../provisioners/kubernetes/steps/control-plane-stop.ts';
import { etcdDataCheck } from '../../provisioners/kubernetes/steps/etcd-data-check.ts';
import { etcdDataRestore } from '../../provisioners/kubernetes/steps/etcd-data-restore.ts';
import { etcdDataSetAside } from '../../provisioners/kubernetes/steps/etcd-data-set-aside.ts';
import { etcdSnapshot } from '../../provisioners/kubernetes/steps/etcd-snapshot.ts';
import { etcdSnapshotPrune } from '../../provisioners/kubernetes/steps/etcd-snapshot-prune.ts';
import { kubeadmConfigUpload } from '../../provisioners/kubernetes/steps/kubeadm-config-upload.ts';
import { kubeProxyUpdate } from '../../provisioners/kubernetes/steps/kube-proxy-update.ts';
import { machineDestroy } from '../../provisioners/kubernetes/steps/machine-destroy.ts';
import { watchesRenew } from '../../provisioners/kubernetes/steps/watches-renew.ts';
import { minorOf } from '../../provisioners/kubernetes/versions.ts';
import { isEtcdApart } from '../spec/rules/etcd.ts';
import { apiPortOf } from './api-port.ts';
import type { IntentPlan, IntentRequest } from './request.ts';
import { about, aboutCluster, planStep } from './planned-step.ts';
import { planCluster } from './planner.ts';
import { type RestoreMachines, restoreMachines } from './restore-machines.ts';
import { type RestoreTarget, restoreTarget } from './restore-target.ts';
import { restoreChanges, restoreNotices } from './restore-texts.ts';

type Request = IntentRequest<'restore'>;

/** What the snapshot takes beside the former data: itself, what is made of it, and half as much in between. */
const roomFor = (snapshot: number): number => Math.ceil(snapshot * 2.5);

/** What is looked at and brought before anything is touched. */
function preparation(
  { intent }: Request,
  { holders }: RestoreMachines,
  target: RestoreTarget,
): PlannedStep[] {
  const { key: restore, source } = intent;
  const needs = (name: string): number =>
    name === target.name && source.from === 'backup' ? roomFor(source.bytes) : 0;
  const checks = holders.map((machine) =>
    planStep(etcdDataCheck, about(machine.name), { machine, restore, needs: needs(machine.name) }, []),
  );
  if (source.from === 'survivor') return checks;
  const { destination, id, fileSha256, snapshotSha256, bytes } = source;
  const backup = { destination, id, fileSha256, snapshotSha256, bytes };
  const after = [...checks, ...target.road].map((step) => step.id);
  const input = { machine: target.reference, restore, ...backup };
  return [...checks, planStep(backupFetch, about(target.name), input, after)];
}

/**
 * Whoever serves the former data stops: every API server, and then etcd where it stands apart, so that nothing is asked
 * of it any more.
 */
function silence(
  { intent, desired }: Request,
  { isEtcdApart: isApart, masters, holders, lost }: RestoreMachines,
  after: readonly string[],
): PlannedStep[] {
  const shared = { restore: intent.key, apiPort: apiPortOf(desired) };
  const destroyed = lost.map(({ name }) => planStep(machineDestroy, about(name), { name }, after, 'removal'));
  const stopped = masters.map((machine) => {
    const runs = isApart ? ({ runs: 'control-plane' } as const) : {};
    return planStep(controlPlaneStop, about(machine.name), { machine, ...shared, ...runs }, after);
  });
  const etcd = (isApart ? holders : []).map((machine) => {
    const input = { machine, ...shared, runs: 'etcd' } as const;
    return planStep(controlPlaneStop, about(machine.name), input, [...after, ...stopped.map(({ id }) => id)]);
  });
  return [...destroyed, ...stopped, ...etcd];
}

/** Nobody serves any more, and what could be started is out of reach: only then the new data is made. */
function replacement(
  request: Request,
  found: RestoreMachines,
  target: RestoreTarget,
  after: readonly string[],
): PlannedStep[] {
  const { key: restore, source } = request.intent;
  const { holders } = found;
  const silenced = silence(request, found, after);
  const silent = silenced.map(({ id }) => id);
  const aside = holders.map((machine) =>
    planStep(etcdDataSetAside, about(machine.name), { machine, restore }, silent),
  );
  const made = planStep(
    etcdDataRestore,
    about(target.name),
    {
      machine: target.reference,
      restore,
      source: source.from === 'backup' ? 'snapshot' : 'aside',
      others: holders.filter(({ name }) => name !== target.name),
    },
    [...after, ...silent, ...aside.map(({ id }) => id)],
  );
  const { etcd } = target;
  const onData = etcd === undefined ? [] : [{ ...etcd, after: [...etcd.after, made.id].toSorted() }];
  const started = target.start([made, ...onData].slice(-1).map(({ id }) => id));
  return [...silenced, ...aside, made, ...onData, ...started];
}

/** Whatever watched the old data begins anew, and the world is compared with what the data knows. */
function conclusion(
  { intent, observed }: Request,
  machines: readonly ProviderMachine[],
  target: RestoreTarget,
): PlannedStep[] {
  const { settings, masters, served } = target;
  const { apiPort, kubernetesVersion } = settings;
  const references = masters.map(({ reference }) => reference);
  const [machine] = references;
  if (machine === undefined) throw new Error('nobody serves the restored data');
  const apart = target.etcd === undefined ? {} : { etcd: [target.reference] };
  const access = { masters: references, apiPort, ...apart };
  const workers = machines.flatMap(({ name, role, state }) => {
    const reference = observed.references[name];
    return role === 'worker' && state === 'running' && reference !== undefined ? [reference] : [];
  });
  // The cluster may have been upgraded since the data was written: machines have only images of their own version on
  // board, so what joins and what is started anew must not be of the version that the data speaks of.
  const proxy = { access, kubernetesVersion, rollout: 'all' } as const;
  const told = [
    planStep(kubeadmConfigUpload, aboutCluster, { machine, settings, access }, served),
    planStep(kubeProxyUpdate, aboutCluster, proxy, served),
  ];
  const renewed = planStep(
    watchesRenew,
    aboutCluster,
    {
      access,
      machines: [...references, ...workers],
      since: factOf(etcdDataRestore, target.name, 'at'),
      isBumped: factOf(etcdDataRestore, target.name, 'isBumped'),
    },
    told.map(({ id }) => id),
  );
  // So may its authorities have been rotated: what the data says of them to whoever joins, and to pods, is older than they.
  // Kubelets that hear nothing would exchange no pods: they come first.
  const published = planStep(
    authoritiesPublish,
    aboutCluster,
    { machine, settings, access, exchangesPods: true },
    [renewed.id],
  );
  const compared = planStep(clusterReconcile, aboutCluster, { access, restore: intent.key }, [published.id]);
  return [...told, renewed, published, compared];
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
 * A cluster back to a backup, or on with the data of one member of etcd that is left when the majority is gone. It needs
 * no API server and no etcd. Nothing is stopped before the backup was brought and checked; nothing is restored before nobody
 * can serve the former data. What comes after the first control plane is planned when its API answers, by the
 * cluster's document as always. Pure.
 * @throws Blocked when the provider could not be asked, or a master or a machine of etcd is neither there nor given up; UserProblem
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
  const { halfJoined = [] } = request;
  const found = restoreMachines(
    { intent, observed, isEtcdApart: isEtcdApart(request.desired), halfJoined },
    machines,
  );
  const target = restoreTarget(request, found);
  const prepared = preparation(request, found, target);
  const ready = [...target.road, ...prepared].map(({ id }) => id);
  const steps = [
    ...target.road,
    ...prepared,
    ...replacement(request, found, target, ready),
    ...conclusion(request, machines, target),
  ];
  const { newMaster, newEtcd } = target;
  const made = {
    ...(newMaster === undefined ? {} : { newMaster }),
    ...(newEtcd === undefined ? {} : { newEtcd }),
  };
  return {
    ...(Object.keys(made).length === 0 ? {} : { intent: { ...intent, ...made } }),
    steps,
    destroys: found.lost.map(({ name }) => name),
    ...(Object.keys(found.asked).length === 0 ? {} : { retires: found.asked }),
    notices: restoreNotices(request, found, target),
    changes: restoreChanges(request, found, target),
    isPartial: true,
  };
}

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
