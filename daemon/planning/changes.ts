import { type PlanChange, type PlannedStep, stepId } from '../../provisioners/contract/plan.ts';
import { clusterAccessGrant } from '../../provisioners/kubernetes/steps/cluster-access-grant.ts';
import type { PlanContext } from './cluster-plan.ts';
import { isGranted } from './creation.ts';
import { changesInPlace, noticesInPlace } from './in-place.ts';
import { noticesOfUpgrade } from './upgrade-notices.ts';
import { isSealedOff, type LeavingMachine } from './leaving-machine.ts';
import { noticesOfReadiness, noticesOfWindows } from './maintenance-rules.ts';

const reasons: Readonly<Record<LeavingMachine['reason'], string>> = {
  surplus: 'fewer are asked for',
  removed: 'removed by name',
  replaced: 'another one takes its place',
  changed: 'another one as asked for now takes its place',
  upgraded: 'one of the new version takes its place',
};

/** What becomes of a machine that leaves. */
function departure(leaving: LeavingMachine): PlanChange {
  const { name, role, reason } = leaving;
  const why = `${role}, ${reasons[reason]}`;
  if (!isSealedOff(leaving)) return { action: 'destroy', subject: name, detail: why };
  const stays = leaving.mode === 'off' ? 'stays, switched off' : 'stays';
  return { action: 'change', subject: name, detail: `leaves the cluster, its machine ${stays}: ${why}` };
}

/** The machines and parts that change, in the user's terms. */
export function changesOf(context: PlanContext, steps: readonly PlannedStep[]): PlanChange[] {
  const { difference, observed } = context;
  const isPresent = observed.infrastructure.state === 'present';
  const gib = (bytes: number): string => `${Math.round((bytes / 2 ** 30) * 100) / 100} GiB`;
  const made = difference.unfinished.map(({ name, role, shape, machine, address }): PlanChange => {
    const size = `${role}, ${shape.cpus} CPUs, ${gib(shape.memory)}${address === undefined ? '' : `, ${address}`}`;
    if (machine === undefined) return { action: 'create', subject: name, detail: size };
    if (observed.retired[name]?.reason === 'upgraded')
      return { action: 'change', subject: name, detail: `comes back, from before the upgrade: ${size}` };
    return { action: 'change', subject: name, detail: `finish what was begun: ${size}` };
  });
  const planned = new Set(steps.map(({ id }) => id));
  const addons = steps
    .filter(({ kind }) => kind === 'addon.install')
    .map(
      ({ id, title }): PlanChange => ({
        action: 'create',
        subject: id.slice(id.indexOf('/') + 1),
        detail: title,
      }),
    );
  return [
    ...(planned.has(stepId('infrastructure.prepare', 'cluster')) && !isPresent
      ? [{ action: 'create', subject: 'cluster', detail: 'infrastructure' } as const]
      : []),
    ...made,
    ...difference.off.map(
      ({ name }): PlanChange => ({ action: 'change', subject: name, detail: 'switch on' }),
    ),
    ...difference.relabelled.map(
      ({ name }): PlanChange => ({ action: 'change', subject: name, detail: 'labels and taints' }),
    ),
    ...changesInPlace(context),
    ...difference.cordoned.map(
      ({ name }): PlanChange => ({ action: 'change', subject: name, detail: 'takes pods again' }),
    ),
    ...difference.leaving.map(departure),
    ...(context.first === undefined && !isGranted(context) && planned.has(granting)
      ? [{ action: 'change', subject: 'cluster', detail: 'rights of people in it' } as const]
      : []),
    ...addons,
  ];
}

const granting = stepId(clusterAccessGrant.kind, 'cluster');

const toOne =
  'While etcd goes from three members to one it has two for a moment and needs both: if either fails just then, the API stops until it is back. With one left there is none to spare.';

/** What to know of those who leave. */
function noticesOfLeaving({ difference, wanted, settings }: PlanContext): string[] {
  const { leaving } = difference;
  const memberRole = settings.etcd === undefined ? 'control-plane' : 'etcd';
  const left = wanted.filter(({ role }) => role === memberRole).length;
  const isToOne = left === 1 && leaving.filter(({ member }) => member !== undefined).length > 1;
  return [
    ...(isToOne ? [toOne] : []),
    ...leaving
      .filter(({ node, isDead }) => node !== undefined && isDead)
      .map(
        ({ name }) =>
          `${name} does not answer: its pods cannot be moved first, and start elsewhere when its Node is removed.`,
      ),
    ...leaving
      .filter((machine) => machine.mode === 'keep' && isSealedOff(machine) && machine.isAnswering)
      .map(
        ({ name }) =>
          `${name} stays at the provider and goes on costing; nothing of Kubernetes is left running on it, and its etcd data and keys are removed.`,
      ),
  ];
}

/** Sentences to read before agreeing. */
export function noticesOf(context: PlanContext, steps: readonly PlannedStep[]): string[] {
  const { document, observed, wanted, difference, first, bypass } = context;
  const joins = steps.filter(({ kind }) => kind === 'control-plane.join').length;
  const started = first === undefined ? difference.masters.length : 1;
  const known = new Set([...wanted, ...difference.leaving].map(({ name }) => name));
  const strangers = (observed.nodes ?? []).filter(({ name }) => !known.has(name));
  const replaced = difference.unfinished.filter(
    ({ name, machine, incarnation }) =>
      machine === undefined && incarnation > 1 && observed.retired[name] === undefined,
  );
  const { kubelet, ...components } = document.spec.kubeadm.extraArgs;
  const hatch = [...Object.values(components), kubelet].some((flags) => Object.keys(flags).length > 0);
  const steps12 =
    'While the second master joins, etcd has two members and needs both: if that machine fails just then, the API stops until it is back. From the third master on one may fail.';
  return [
    ...(steps.length === 0 ? [] : observed.unseen),
    ...(joins > 0 && started === 1 && context.settings.etcd === undefined ? [steps12] : []),
    ...noticesOfLeaving(context),
    ...noticesInPlace(context),
    ...noticesOfUpgrade(context),
    ...noticesOfReadiness(context),
    ...(first === undefined ? noticesOfWindows(document, steps) : []),
    ...replaced.map(
      ({ name }) => `${name} is gone at the provider and is made anew; what was on its disks is lost.`,
    ),
    ...strangers.map(
      ({ name }) => `The Node ${name} belongs to no machine of this document and is left alone.`,
    ),
    ...(observed.nodes ?? [])
      .filter(({ name, ready, configDigest }) => known.has(name) && configDigest !== undefined && !ready)
      .map(({ name, notReadyBecause }) => `${name} is not Ready: ${notReadyBecause ?? 'no reason given'}`),
    ...(hatch || document.spec.kubeadm.patches.length > 0
      ? ['kubeadm.extraArgs and kubeadm.patches are unsupported and may break upgrades.']
      : []),
    ...(bypass.length > 0 && steps.length > 0 ? [`Checks bypassed on request: ${bypass.join(', ')}.`] : []),
  ];
}
