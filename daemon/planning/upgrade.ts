import type { Observed } from '../../provisioners/contract/observed.ts';
import { Blocked, UserProblem } from '../../provisioners/contract/problem.ts';
import { minors } from '../../provisioners/kubernetes/versions.ts';
import type { ClusterDocument } from '../spec/documents.ts';

/** A version as numbers: `v1.20.3-restamped` → 1, 20, 3. */
interface Version {
  readonly text: string;
  readonly minor: number;
  readonly patch: number;
}

function versionOf(text: string): Version | undefined {
  const match = /^v?(\d+)\.(\d+)\.(\d+)/.exec(text);
  if (match === null) return undefined;
  const [, major = '', minor = '', patch = ''] = match;
  return { text: `${major}.${minor}.${patch}`, minor: Number(minor), patch: Number(patch) };
}

const compare = (one: Version, other: Version): number => one.minor - other.minor || one.patch - other.patch;

/** Versions that run now: of API servers and kubelets, the oldest first. */
function runningVersions({ apiVersion, nodes = [] }: Observed): Version[] {
  const texts = [apiVersion ?? '', ...nodes.map(({ kubeletVersion }) => kubeletVersion)];
  return texts.flatMap((text) => versionOf(text) ?? []).toSorted(compare);
}

/** Whether machines of another version than asked run in the cluster. */
export function isUpgrade(document: ClusterDocument, observed: Observed): boolean {
  const target = versionOf(document.spec.kubernetes.version);
  return target !== undefined && runningVersions(observed).some((version) => compare(version, target) !== 0);
}

/**
 * Holds an upgrade to Kubernetes' version skew policy (https://kubernetes.io/releases/version-skew-policy/): forwards
 * only, one minor at a time, and no kubelet is left behind further than the table's neighbours allow.
 * @throws UserProblem PLAN-019 for a step back, PLAN-020 for a leap; Blocked PLAN-021 when machines of a third version
 * are there from an upgrade that is not finished
 */
export function requireUpgradePath(document: ClusterDocument, observed: Observed): void {
  const target = versionOf(document.spec.kubernetes.version);
  const running = runningVersions(observed);
  const [oldest, newest] = [running[0], running.at(-1)];
  if (target === undefined || oldest === undefined || newest === undefined) return;
  if (!isUpgrade(document, observed)) return;
  const place = { field: 'spec.kubernetes.version' };
  if (compare(target, newest) < 0)
    throw new UserProblem(
      'PLAN-019',
      `The cluster runs Kubernetes ${newest.text}, and data that etcd holds goes forward only: it cannot become ${target.text}`,
      { value: target.text, place, remedy: `Write ${newest.text}, or a newer version.` },
    );
  if (target.minor - oldest.minor <= 1) return;
  const next = minors.map(({ minor }) => Number(minor.split('.')[1])).filter((minor) => minor > oldest.minor);
  const between = next.length === 0 ? oldest.minor + 1 : Math.min(...next);
  throw new UserProblem(
    'PLAN-020',
    `The cluster runs Kubernetes ${oldest.text}, and minors are upgraded one at a time: ${target.text} is ${target.minor - oldest.minor} further`,
    { value: target.text, place, remedy: `Upgrade to 1.${between} first, then go on.` },
  );
}

/** InPlace is for machines that cannot be replaced; this release replaces. @throws Blocked */
export function requireBlueGreen(document: ClusterDocument, isReplacing: boolean): void {
  if (!isReplacing || document.spec.upgrade.strategy === 'BlueGreen') return;
  throw new Blocked('PLAN-007', 'The document asks for upgrades in place, which this release does not make', {
    remedy: 'Write spec.upgrade.strategy: BlueGreen, and machines are replaced one after another.',
    place: { field: 'spec.upgrade.strategy' },
  });
}
