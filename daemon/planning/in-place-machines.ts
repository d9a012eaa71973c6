import type { Observed } from '../../provisioners/contract/observed.ts';
import { readNote } from '../../provisioners/kubernetes/etcd-endpoints.ts';
import { versionNumbers } from '../../provisioners/kubernetes/version-skew.ts';
import type { ClusterDocument } from '../spec/documents.ts';
import { configDigest, isSameMachine } from './config-digest.ts';
import type { WantedMachine } from './wanted-machine.ts';

/** Patches of the minor before that are tried where nothing tells which one a machine was made from. */
const patchesTried = 40;

/** Versions a machine may have been made from: what its kubelet tells, then those below the one that is asked. */
function* versionsBefore(document: ClusterDocument, told: string): Generator<string> {
  const seen = versionNumbers(told);
  if (seen !== undefined) yield seen.text;
  const asked = versionNumbers(document.spec.kubernetes.version);
  if (asked === undefined) return;
  for (let patch = asked.patch - 1; patch >= 0; patch -= 1) yield `1.${asked.minor}.${patch}`;
  for (let patch = 0; patch <= patchesTried; patch += 1) yield `1.${asked.minor - 1}.${patch}`;
}

/**
 * Whether a finished machine differs from what is asked by its version alone, where machines are upgraded in place: then
 * it stays. A machine that was made from another size or other settings is replaced. Its kubelet alone does not tell,
 * because that is of the new version before the machine is finished. Pure.
 */
export function isUpgradedInPlace(
  { node, ...place }: Pick<WantedMachine, 'node' | 'role' | 'shape' | 'labels' | 'taints'>,
  document: ClusterDocument,
): boolean {
  const made = node?.configDigest;
  if (document.spec.upgrade.strategy !== 'InPlace' || node === undefined || made === undefined) return false;
  for (const version of versionsBefore(document, node.kubeletVersion)) {
    const kubernetes = { ...document.spec.kubernetes, version };
    const earlier = { ...document, spec: { ...document.spec, kubernetes } };
    if (isSameMachine(made, configDigest(earlier, place))) return true;
  }
  return false;
}

/** Minors before the one that is asked from which a machine of etcd may come: as many as the table keeps beside it. */
const minorsTried = 3;

/**
 * Whether a finished machine of etcd differs from what is asked by the minor of Kubernetes alone, where machines are
 * upgraded in place: then it stays. Pure.
 */
export function isEtcdUpgradedInPlace(
  one: Pick<WantedMachine, 'name' | 'role' | 'shape' | 'labels' | 'taints'>,
  document: ClusterDocument,
  observed: Observed,
): boolean {
  const noted = readNote(observed.marks)?.machines[one.name];
  const asked = versionNumbers(document.spec.kubernetes.version);
  if (document.spec.upgrade.strategy !== 'InPlace' || noted === undefined || asked === undefined)
    return false;
  for (let minor = asked.minor - 1; minor >= asked.minor - minorsTried; minor -= 1) {
    const kubernetes = { ...document.spec.kubernetes, version: `1.${minor}.0` };
    const earlier = { ...document, spec: { ...document.spec, kubernetes } };
    if (configDigest(earlier, one) === noted.digest) return true;
  }
  return false;
}
