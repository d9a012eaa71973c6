import { load } from 'js-yaml';
import { z } from 'zod';
import type { MachineRef } from '../contract/machine.ts';
import type { ControlPlaneAccess } from '../contract/ports/etcd.ts';
import { Blocked, Transient } from '../contract/problem.ts';
import type { StepContext } from '../contract/step.ts';
import { isOfVersion } from './cluster-health.ts';
import type { ClusterSettings } from './cluster-settings.ts';
import { isMemberOf } from './control-plane-state.ts';
import { whyNotRestart } from './control-plane-restart.ts';
import { isVirtualAddress } from './endpoint-config.ts';
import { successorOf } from './membership.ts';
import { manifestOf } from './paths.ts';
import { minorsAhead } from './version-skew.ts';

/** What an upgrade in place is told of the cluster. */
export interface InPlace {
  readonly machine: MachineRef;
  readonly settings: ClusterSettings;
  /** All masters, the machine among them where it is one. */
  readonly access: ControlPlaneAccess;
}

/** Static pods whose images are of Kubernetes' own version. */
const components = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler'] as const;

/** All that kubeadm lays out on a master: etcd first, unless it has machines of its own. */
export const masterManifests = ({ etcd }: Pick<ClusterSettings, 'etcd'>): readonly string[] =>
  [...(etcd === undefined ? ['etcd'] : []), ...components].map(manifestOf);

const podSchema = z.object({
  spec: z.object({ containers: z.array(z.object({ image: z.string() })).min(1) }),
});

/** What a manifest says; undefined where its end is missing, because the power went while it was written. */
function documentIn(manifest: string): unknown {
  try {
    return load(manifest);
  } catch {
    return undefined;
  }
}

/** The image in a static pod's manifest; undefined where there is none to be read. */
export function imageIn(manifest: string | undefined): string | undefined {
  if (manifest === undefined) return undefined;
  const pod = podSchema.safeParse(documentIn(manifest));
  return pod.success ? pod.data.spec.containers[0]?.image : undefined;
}

/** Its tag. */
function tagIn(manifest: string | undefined): string | undefined {
  const image = imageIn(manifest);
  return image?.slice(image.lastIndexOf(':') + 1);
}

/** What of a master's control plane its machine is told to run in another version than asked: one phrase each. */
export async function outdatedComponents(context: StepContext, given: InPlace): Promise<string[]> {
  const { machine, settings } = given;
  const manifests = await Promise.all(components.map((name) => context.file.read(machine, manifestOf(name))));
  return components.flatMap((name, index) => {
    const tag = tagIn(manifests[index]);
    if (isOfVersion(tag, settings.kubernetesVersion)) return [];
    return [tag === undefined ? `${name} has no manifest` : `${name} is ${tag}`];
  });
}

const withItself = ({ access, machine }: InPlace): ControlPlaneAccess => ({
  ...access,
  masters: [...access.masters.filter(({ name }) => name !== machine.name), machine],
});

const othersOf = ({ access, machine }: InPlace): readonly MachineRef[] =>
  access.masters.filter(({ name }) => name !== machine.name);

/** Why a machine must not be upgraded just now: the sentence, and who must be well first. */
export interface Hindrance {
  readonly why: string;
  readonly remedy: string;
}

/**
 * Whether the cluster can be without a master's API server and etcd for a minute: every other API server answers, is not
 * two minors away from what comes and not newer than it, and etcd keeps its quorum (complaint 8).
 */
export async function whyNotAway(context: StepContext, given: InPlace): Promise<Hindrance | undefined> {
  const { machine, settings } = given;
  const others = othersOf(given);
  const [members, ...versions] = await Promise.all([
    context.etcd.members(withItself(given)),
    ...others.map((other) => context.kubernetes.version(given.access, other)),
  ]);
  const silent = others.filter((_other, index) => versions[index] === undefined).map(({ name }) => name);
  if (silent.length > 0)
    return {
      why: `the API server on ${silent.join(', ')} does not answer, and ${machine.name} would be away as well`,
      remedy: `Bring ${silent.join(', ')} back; the upgrade goes on by itself.`,
    };
  const far = versions.find((version) => version !== undefined && minorsAhead(settings, version) > 1);
  if (far !== undefined)
    return {
      why: `an API server is still ${far}, and API servers may be one minor apart at most`,
      remedy: 'Upgrade one minor at a time.',
    };
  const own = members.find((member) => isMemberOf(machine, member));
  const hold = own && whyNotRestart(members, own.id);
  return hold && { why: hold.why, remedy: `Bring ${hold.unwell.join(', ')} back; it goes on by itself.` };
}

/**
 * Whether a kubelet of the asked version may speak to every API server there is: it must not be newer than any
 * (https://kubernetes.io/releases/version-skew-policy/#kubelet). Those that are silent were proven before.
 */
export async function whyKubeletTooNew(context: StepContext, given: InPlace): Promise<Hindrance | undefined> {
  const { access, settings } = given;
  const versions = await Promise.all(
    access.masters.map(async (master) => ({
      name: master.name,
      version: await context.kubernetes.version(access, master),
    })),
  );
  const older = versions.find(({ version }) => version !== undefined && minorsAhead(settings, version) > 0);
  if (older === undefined) return undefined;
  return {
    why: `the API server on ${older.name} is ${older.version}, older than the kubelet would be`,
    remedy: `See that ${older.name} is upgraded first; the plan does so.`,
  };
}

/** In the order they are stopped: the address goes first, so that nobody is sent to a balancer that is not there. */
const endpointUnits = ['keepalived.service', 'haproxy.service'] as const;

/** Units with which a master serves the cluster's address and which do not run; none where somebody else's balancer does. */
export async function closedEndpoint(context: StepContext, given: InPlace): Promise<string[]> {
  if (!isVirtualAddress(given.settings.endpoint.host)) return [];
  const states = await context.service.state(given.machine, endpointUnits);
  return states.filter(({ active, enabled }) => !active || !enabled).map(({ unit }) => unit);
}

/** Lets a master serve the cluster's address again. */
export async function openEndpoint(context: StepContext, given: InPlace): Promise<void> {
  if (!isVirtualAddress(given.settings.endpoint.host)) return;
  for (const unit of endpointUnits.toReversed()) await context.service.start(given.machine, unit);
}

/**
 * Makes a master ready to be away: etcd's lead and the cluster's address go to others, while it is well. One that is
 * alone keeps both: nobody else could have them.
 * @throws Blocked when the others would not keep quorum
 */
export async function giveUpOffices(context: StepContext, given: InPlace): Promise<void> {
  const { machine, settings } = given;
  const members = await context.etcd.members(withItself(given));
  const own = members.find((member) => isMemberOf(machine, member));
  const hold = own && whyNotRestart(members, own.id);
  if (hold !== undefined)
    throw new Blocked('UPGRADE-001', `${machine.name} is not upgraded now: ${hold.why}.`, {
      machine: machine.name,
      awaits: `etcd on ${hold.unwell.join(', ')} to be well`,
      remedy: `Bring ${hold.unwell.join(', ')} back; the upgrade goes on by itself.`,
    });
  const heir = own && successorOf(members, own.id);
  if (own?.leader === true && heir !== undefined) await context.etcd.moveLeader(withItself(given), heir.id);
  if (othersOf(given).length === 0 || !isVirtualAddress(settings.endpoint.host)) return;
  for (const unit of endpointUnits) await context.service.stop(machine, unit);
}

/** Asks without taking silence for an answer. */
export async function unlessSilent<Value>(question: Promise<Value>): Promise<Value | undefined> {
  try {
    return await question;
  } catch (thrown) {
    if (thrown instanceof Transient) return undefined;
    throw thrown;
  }
}
