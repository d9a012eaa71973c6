import type { Observed, Retirement } from '../../provisioners/contract/observed.ts';
import { UserProblem } from '../../provisioners/contract/problem.ts';
import { nearest } from '../spec/suggestion.ts';
import type { ClusterDocument } from '../spec/documents.ts';
import { hasTraces } from './roster.ts';
import { minorsBetween, newestOf } from './stages.ts';
import { isWayBackOpen } from './upgrade.ts';

/** What somebody asks of single machines. */
export type MachineChange =
  /** As many more of a group, `control-plane` or the name of a worker group. */
  | { readonly kind: 'add'; readonly group: string; readonly count: number }
  /** These leave, and nobody comes in their place. */
  | { readonly kind: 'remove'; readonly machines: readonly string[]; readonly mode: Retirement['mode'] }
  /** These leave, each for a new one. */
  | { readonly kind: 'replace'; readonly machines: readonly string[]; readonly mode: Retirement['mode'] }
  /** All of another version of Kubernetes. */
  | {
      readonly kind: 'upgrade';
      readonly version: string;
      /** Versions to stop at; the newest on board of each minor between when absent. */
      readonly through?: readonly string[];
      /** What is on board, where somebody has looked. */
      readonly onBoard?: readonly string[];
    }
  /** All of the version before the upgrade that is not finalized. */
  | { readonly kind: 'back' };

/** A change of machines, as the document that asks for it and the machines that are to leave. */
export interface ChangedMachines {
  readonly document: ClusterDocument;
  readonly retire: Readonly<Record<string, Retirement>>;
}

/** The word for the masters where worker groups have names. */
export const mastersGroup = 'control-plane';

/** The word for the machines of etcd alone. */
const etcdGroup = 'etcd';

/** The document with `count` more machines (or fewer) in a group. */
function resized(document: ClusterDocument, group: string, count: number): ClusterDocument {
  const { controlPlane, etcd, workers } = document.spec;
  if (group === mastersGroup) {
    const replicas = controlPlane.replicas + count;
    return { ...document, spec: { ...document.spec, controlPlane: { ...controlPlane, replicas } } };
  }
  if (group === etcdGroup) {
    const replicas = etcd.replicas + count;
    return { ...document, spec: { ...document.spec, etcd: { ...etcd, replicas } } };
  }
  const changed = workers.map((one) =>
    one.name === group ? { ...one, replicas: one.replicas + count } : one,
  );
  return { ...document, spec: { ...document.spec, workers: changed } };
}

/** Group of the document that a machine is counted in; undefined for a machine of a group that it no longer has. */
function groupOf({ metadata, spec }: ClusterDocument, machine: string): string | undefined {
  const prefix = machine.replace(/-\d+$/, '');
  if (prefix === `${metadata.name}-cp`) return mastersGroup;
  if (spec.etcd.topology === 'external' && prefix === `${metadata.name}-etcd`) return etcdGroup;
  return spec.workers.find(({ name }) => prefix === `${metadata.name}-${name}`)?.name;
}

function unknownMachine(name: string, document: ClusterDocument, observed: Observed): UserProblem {
  const known = [
    ...new Set([...(observed.machines ?? []), ...(observed.nodes ?? [])].map((one) => one.name)),
  ];
  const meant = nearest(name, known);
  return new UserProblem('PLAN-016', `Cluster ${document.metadata.name} has no machine ${name}`, {
    value: name,
    remedy:
      meant === undefined
        ? `Its machines are ${known.sort().join(', ') || 'none'}.`
        : `Did you mean ${meant}? All of them: remuda get machines.`,
  });
}

/** etcd wants odd numbers: the fourth master adds a risk and no safety (https://etcd.io/docs/v3.5/faq/). */
function requireOddMasters(before: ClusterDocument, after: ClusterDocument): void {
  requireOddEtcd(before, after);
  const count = after.spec.controlPlane.replicas;
  if (count % 2 === 1 || count === before.spec.controlPlane.replicas) return;
  throw new UserProblem(
    'PLAN-017',
    count === 0
      ? 'That leaves no master'
      : `That makes ${count} masters, and only an odd number can be asked for`,
    {
      place: { field: 'spec.controlPlane.replicas' },
      remedy:
        'Change two masters at a time (1, 3, 5 or 7 of them), or replace a single one: "remuda machine replace".',
    },
  );
}

/** As for masters: an even number of members survives no more failures. */
function requireOddEtcd(before: ClusterDocument, after: ClusterDocument): void {
  const count = after.spec.etcd.replicas;
  if (count % 2 === 1 || count === before.spec.etcd.replicas) return;
  throw new UserProblem(
    'PLAN-017',
    count === 0
      ? 'That leaves no machine of etcd'
      : `That makes ${count} machines of etcd, and only an odd number can be asked for`,
    {
      place: { field: 'spec.etcd.replicas' },
      remedy:
        'Change two machines of etcd at a time (1, 3, 5 or 7 of them), or replace a single one: "remuda machine replace".',
    },
  );
}

const ofVersion = (document: ClusterDocument, version: string): ClusterDocument => ({
  ...document,
  spec: { ...document.spec, kubernetes: { ...document.spec.kubernetes, version } },
});

/** The same document with its stops: as asked; or the newest on board of each minor between, where it names none. */
function byWayOf(
  document: ClusterDocument,
  observed: Observed,
  { version, through, onBoard = [] }: Extract<MachineChange, { readonly kind: 'upgrade' }>,
): ClusterDocument {
  const { upgrade } = document.spec;
  const between = minorsBetween(version, observed);
  const isNamed = (minor: string): boolean => upgrade.through.some((stop) => stop.startsWith(`${minor}.`));
  const chosen =
    through ??
    newestOf(
      between.filter((minor) => !isNamed(minor)),
      onBoard,
    );
  if (through === undefined && chosen.length === 0) return document;
  const stops = through ?? [...upgrade.through, ...chosen];
  return { ...document, spec: { ...document.spec, upgrade: { ...upgrade, through: [...stops] } } };
}

/** The version that the last document of another one asked for. @throws UserProblem when no upgrade is open */
function versionBefore(
  { metadata, spec }: ClusterDocument,
  observed: Observed,
  earlier: readonly ClusterDocument[],
): string {
  const now = spec.kubernetes.version;
  const before = earlier.find((document) => document.spec.kubernetes.version !== now);
  if (isWayBackOpen(observed) && before !== undefined) return before.spec.kubernetes.version;
  throw new UserProblem(
    'PLAN-023',
    `Cluster ${metadata.name} has no upgrade to go back from: none was made since the last one was finalized`,
    {
      remedy:
        before === undefined
          ? 'It was made with the version that it runs.'
          : `What was in etcd before is in its backups: remuda backup list ${metadata.name}.`,
    },
  );
}

function addMachines(document: ClusterDocument, group: string, count: number): ClusterDocument {
  const apart = document.spec.etcd.topology === 'external' ? [etcdGroup] : [];
  const groups = [mastersGroup, ...apart, ...document.spec.workers.map(({ name }) => name)];
  if (groups.includes(group)) return resized(document, group, count);
  const meant = nearest(group, groups);
  throw new UserProblem('PLAN-018', `Cluster ${document.metadata.name} has no group ${group}`, {
    value: group,
    remedy: `${meant === undefined ? '' : `Did you mean ${meant}? `}Its groups are ${groups.join(', ')}.`,
  });
}

/**
 * What a change of machines means for what is asked: the document to be in force from now on, and who leaves. Pure.
 * Naming a machine that leaves already changes what becomes of it, and counts nobody twice.
 * `earlier`: documents that were in force before, the newest first.
 * @throws UserProblem PLAN-016 for an unknown machine, PLAN-017 for an even number of masters, PLAN-018 for an unknown
 * group, PLAN-023 where there is no way back
 */
export function changeMachines(
  document: ClusterDocument,
  observed: Observed,
  change: MachineChange,
  earlier: readonly ClusterDocument[] = [],
): ChangedMachines {
  if (change.kind === 'upgrade')
    return { document: byWayOf(ofVersion(document, change.version), observed, change), retire: {} };
  if (change.kind === 'back')
    return { document: ofVersion(document, versionBefore(document, observed, earlier)), retire: {} };
  if (change.kind === 'add') {
    const grown = addMachines(document, change.group, change.count);
    requireOddMasters(document, grown);
    return { document: grown, retire: {} };
  }
  const names = [...new Set(change.machines)];
  const unknown = names.find((name) => !hasTraces(observed, name));
  if (unknown !== undefined) throw unknownMachine(unknown, document, observed);
  const reason = change.kind === 'remove' ? 'removed' : 'replaced';
  const retire = Object.fromEntries(
    names.map((name): [string, Retirement] => [name, { mode: change.mode, reason }]),
  );
  if (change.kind === 'replace') return { document, retire };
  const isCounted = (name: string): boolean => {
    const before = observed.retired[name];
    return before === undefined || (before.reason !== 'removed' && before.reason !== 'surplus');
  };
  const shrunk = names.filter(isCounted).reduce((smaller, name) => {
    const group = groupOf(document, name);
    return group === undefined ? smaller : resized(smaller, group, -1);
  }, document);
  requireOddMasters(document, shrunk);
  return { document: shrunk, retire };
}
