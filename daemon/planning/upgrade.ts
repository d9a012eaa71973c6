import type { Observed } from '../../provisioners/contract/observed.ts';
import { UserProblem } from '../../provisioners/contract/problem.ts';
import {
  compareVersions as compare,
  type VersionNumbers as Version,
  versionNumbers as versionOf,
} from '../../provisioners/kubernetes/version-skew.ts';
import { minors } from '../../provisioners/kubernetes/versions.ts';
import type { ClusterDocument } from '../spec/documents.ts';
import { hasTraces } from './roster.ts';

/** Versions that run now, of the Nodes and of the API server that answered; the oldest first. */
export function runningVersions({ apiVersion = '', nodes = [] }: Observed): Version[] {
  const texts = [...nodes.map(({ kubeletVersion }) => kubeletVersion), apiVersion];
  return texts.flatMap((text) => versionOf(text) ?? []).toSorted(compare);
}

/** Where a cluster goes from the versions that run: nowhere, on to a newer one, or back to an older one. */
export function directionOf(document: ClusterDocument, observed: Observed): 'none' | 'forwards' | 'back' {
  const target = versionOf(document.spec.kubernetes.version);
  const running = runningVersions(observed);
  if (target === undefined || running.every((version) => compare(version, target) === 0)) return 'none';
  return running.some((version) => compare(version, target) > 0) ? 'back' : 'forwards';
}

/** Whether machines of another version than asked run in the cluster. */
export const isUpgrade = (document: ClusterDocument, observed: Observed): boolean =>
  directionOf(document, observed) !== 'none';

/** Machines that an upgrade sent away, and that are kept, sealed off, for the way back. */
export const keptForTheWayBack = ({ retired, machines = [] }: Observed): readonly string[] =>
  machines
    .map(({ name }) => name)
    .filter((name) => retired[name]?.reason === 'upgraded' && retired[name].isFenced);

/** Whether an upgrade has sent machines away of which something is still there: then there is a way back. */
export const isWayBackOpen = (observed: Observed): boolean =>
  Object.entries(observed.retired).some(
    ([name, { reason }]) => reason === 'upgraded' && hasTraces(observed, name),
  );

const place = { field: 'spec.kubernetes.version' };

/**
 * The way back moves machines, and etcd's data stays: that is safe within a minor, where nothing changes how data is
 * written. It is open from the moment an upgrade sends machines away until it is finalized.
 */
function requireWayBack(target: Version, newest: Version, observed: Observed): void {
  const { retired, nodes = [] } = observed;
  if (target.minor !== newest.minor)
    throw new UserProblem(
      'PLAN-019',
      `The cluster runs Kubernetes ${newest.text}, and what a newer minor wrote into etcd an older one need not understand: it cannot become ${target.text}`,
      {
        value: target.text,
        place,
        remedy: `Write ${newest.text}, or a newer version. Of ${target.text} there is only the backup of etcd from before the upgrade, without what was written since: remuda backup list.`,
      },
    );
  const newer = nodes.filter(({ kubeletVersion }) => {
    const version = versionOf(kubeletVersion);
    return version !== undefined && compare(version, target) > 0;
  });
  // Those that came with the upgrade are on their way out: it was open when that was decided.
  const isOnItsWay = newer.length > 0 && newer.every(({ name }) => retired[name] !== undefined);
  if (isWayBackOpen(observed) || isOnItsWay) return;
  throw new UserProblem(
    'PLAN-019',
    `The cluster runs Kubernetes ${newest.text}, and no upgrade is waiting to be finalized: it cannot become ${target.text}`,
    { value: target.text, place, remedy: `Write ${newest.text}, or a newer version.` },
  );
}

/**
 * Holds an upgrade to Kubernetes' version skew policy (https://kubernetes.io/releases/version-skew-policy/): forwards
 * one minor at a time, with the stops of {@link import('./stages.ts').pathOf} between; back only while the upgrade is not finalized; and the next one only after that.
 * @throws UserProblem PLAN-019 for a step back, PLAN-020 for a leap, PLAN-022 while the last upgrade is open
 */
export function requireUpgradePath(document: ClusterDocument, observed: Observed): void {
  const target = versionOf(document.spec.kubernetes.version);
  const running = runningVersions(observed);
  const [oldest, newest] = [running[0], running.at(-1)];
  if (target === undefined || oldest === undefined || newest === undefined) return;
  if (!isUpgrade(document, observed)) return;
  if (compare(target, newest) < 0) return requireWayBack(target, newest, observed);
  requireFinalized(document, observed, target);
  if (target.minor - oldest.minor <= 1) return;
  const steps = target.minor - oldest.minor - 1;
  const next = minors.map(({ minor }) => Number(minor.split('.')[1])).filter((minor) => minor > oldest.minor);
  const between = next.length === 0 ? oldest.minor + 1 : Math.min(...next);
  throw new UserProblem(
    'PLAN-020',
    `The cluster runs Kubernetes ${oldest.text}, and minors are upgraded one at a time: ${target.text} is ${steps + 1} further, and nothing says by way of which version of ${steps === 1 ? `1.${between}` : `each of the ${steps} minors between`}`,
    {
      value: target.text,
      place: { field: 'spec.upgrade.through' },
      remedy: `Name the stops, such as through: ["1.${between}.0"], or: remuda upgrade ${document.metadata.name} ${target.text} --through 1.${between}.0. Their payloads must be on board.`,
    },
  );
}

/** Two upgrades deep there is no way back: the next one waits until the last one is finalized. */
function requireFinalized({ metadata }: ClusterDocument, observed: Observed, target: Version): void {
  const kept = keptForTheWayBack(observed);
  const hasBegun = (observed.nodes ?? []).some(({ kubeletVersion }) => {
    const version = versionOf(kubeletVersion);
    return version !== undefined && compare(version, target) === 0;
  });
  if (kept.length === 0 || hasBegun) return;
  const { name } = metadata;
  throw new UserProblem(
    'PLAN-022',
    `The last upgrade of cluster ${name} is not finalized: ${kept.join(', ')} ${kept.length === 1 ? 'is' : 'are'} kept for its way back`,
    {
      value: target.text,
      place,
      remedy: `When you do not mean to go back: remuda finalize ${name}. Then upgrade.`,
    },
  );
}
