import type { DocumentProblem } from './issue.ts';
import type { Path } from './schema/walk.ts';
import type { ClusterContext, ClusterRule } from './rules/context.ts';
import { etcdCount } from './rules/etcd.ts';
import {
  enoughHosts,
  groupNames,
  kubernetesVersion,
  labelsAndTaints,
  machineSizes,
  masterCount,
} from './rules/machines.ts';
import {
  insideNetwork,
  machineRoom,
  overlappingNetworks,
  podRoom,
  repeatedRanges,
  requiredAddresses,
  reservedAddresses,
  serviceRoom,
} from './rules/network.ts';
import { notBuiltYet } from './rules/not-built.ts';
import { backups } from './rules/backup.ts';
import { certificates } from './rules/certificates.ts';
import { hooks } from './rules/hooks.ts';
import { maintenanceWindows, minimumReady, upgradePace } from './rules/operations.ts';
import type { SupportedVersions } from './documents.ts';

/** Minors this release installs, newest first; 1.20 is what the lab's payload is built from (DESIGN §6). */
export const DEFAULT_SUPPORTED_VERSIONS: SupportedVersions = { minor: ['1.37', '1.36', '1.35', '1.20'] };

/** The rules about one cluster, in the order of the file. */
const clusterRules: readonly ClusterRule[] = [
  kubernetesVersion,
  masterCount,
  etcdCount,
  machineSizes,
  groupNames,
  labelsAndTaints,
  enoughHosts,
  requiredAddresses,
  overlappingNetworks,
  podRoom,
  serviceRoom,
  machineRoom,
  reservedAddresses,
  insideNetwork,
  repeatedRanges,
  upgradePace,
  maintenanceWindows,
  minimumReady,
  backups,
  certificates,
  hooks,
  notBuiltYet,
];

/** Everything the rules find about one cluster. */
export const clusterProblems = (context: ClusterContext): DocumentProblem[] =>
  clusterRules.flatMap((rule) => rule(context));

const isPrefix = (prefix: Path, path: Path) => prefix.every((part, index) => part === path[index]);

/** Problems whose sentence would speak of values that are not the user's are left out. */
export function trusted(
  problems: readonly DocumentProblem[],
  distrusted: readonly Path[],
): DocumentProblem[] {
  const isTrusted = (path: Path) => !distrusted.some((bad) => isPrefix(bad, path) || isPrefix(path, bad));
  return problems.filter(
    (problem) => isTrusted(problem.path) && (problem.related ?? []).every((path) => isTrusted(path)),
  );
}
