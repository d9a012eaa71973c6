import { agentCodes } from '../appliance/agent/codes.ts';
import { backupCodes } from '../appliance/agent/backup/codes.ts';
import { outgoingCodes } from '../appliance/agent/outgoing/codes.ts';
import { auditCodes } from '../daemon/access/codes-of-audit.ts';
import { directoryCodes } from '../daemon/access/codes-of-directories.ts';
import { doorCodes } from '../daemon/api/codes.ts';
import { commandCodes } from '../daemon/cli/codes.ts';
import { alertCodes } from '../daemon/operations/health/codes.ts';
import { engineCodes } from '../daemon/operations/codes.ts';
import { policyCodes } from '../daemon/operations/codes-of-policies.ts';
import { removalCodes } from '../daemon/operations/codes-of-removals.ts';
import { sweepCodes } from '../daemon/operations/codes-of-sweeps.ts';
import { ownershipCodes } from '../daemon/operations/codes-of-ownership.ts';
import { restoreCodes } from '../daemon/operations/codes-of-restores.ts';
import { rotationCodes } from '../daemon/operations/codes-of-rotations.ts';
import { planningCodes } from '../daemon/planning/codes.ts';
import { specCodes } from '../daemon/spec/codes.ts';
import { stateCodes } from '../daemon/state/codes.ts';
import type { ProblemCatalogue } from '../provisioners/contract/problem.ts';
import { labCodes } from '../provisioners/infrastructure/lab/codes.ts';
import { hookCodes } from '../provisioners/kubernetes/codes-of-hooks.ts';
import { kubernetesCodes } from '../provisioners/kubernetes/codes.ts';
import { payloadCodes } from '../provisioners/payload/codes.ts';

/** The codes of one part of Remuda, and the sources that may say them. */
export interface CatalogueOfRoom {
  readonly title: string;
  /** Beginning of the paths, from the top of the repository, whose code may use these codes. */
  readonly rooms: readonly string[];
  readonly codes: ProblemCatalogue;
}

/** Every catalogue there is, in the order of the manual's page. */
export const catalogues: readonly CatalogueOfRoom[] = [
  { title: 'The answer file', rooms: ['daemon/spec/'], codes: specCodes },
  // PLAN-001 is found where documents are compared with what was kept.
  {
    title: 'Planning',
    rooms: ['daemon/planning/', 'daemon/operations/answer-file.ts'],
    codes: planningCodes,
  },
  { title: 'Operations, agents, secrets', rooms: ['daemon/operations/'], codes: engineCodes },
  {
    title: 'Restores',
    rooms: ['daemon/operations/restore-problems.ts'],
    codes: restoreCodes,
  },
  {
    title: 'Rotations of authorities',
    rooms: ['daemon/operations/rotation-problems.ts'],
    codes: rotationCodes,
  },
  {
    title: 'Ejecting and adopting clusters',
    rooms: [
      'daemon/operations/ownership-problems.ts',
      'daemon/planning/eject.ts',
      'appliance/agent/inspection.ts',
      'appliance/agent/found-keys.ts',
      'appliance/agent/host-keys.ts',
      'appliance/agent/ssh/known-hosts.ts',
      'provisioners/kubernetes/steps/machine-access-grant.ts',
      'provisioners/kubernetes/steps/provider-claim.ts',
    ],
    codes: ownershipCodes,
  },
  {
    title: 'Removing backups by hand',
    rooms: ['daemon/operations/backups/removal-problems.ts'],
    codes: removalCodes,
  },
  {
    title: 'Sweeping',
    rooms: ['daemon/operations/sweep-problems.ts', 'appliance/agent/tagged-clusters.ts'],
    codes: sweepCodes,
  },
  {
    title: 'Policies',
    rooms: ['daemon/operations/policies.ts'],
    codes: policyCodes,
  },
  {
    title: 'API, access, start of the daemon',
    // The contract names the fault that is nobody else's (BUG-001); the command meets a refused token itself.
    rooms: [
      'daemon/api/',
      'daemon/access/',
      'daemon/options.ts',
      'daemon/cli/live-client.ts',
      'provisioners/contract/problem.ts',
    ],
    codes: doorCodes,
  },
  { title: 'The audit trail', rooms: ['daemon/access/audit-export.ts'], codes: auditCodes },
  { title: 'Alerts', rooms: ['daemon/operations/health/'], codes: alertCodes },
  { title: 'Directories', rooms: ['daemon/access/directory.ts'], codes: directoryCodes },
  { title: 'The command', rooms: ['daemon/cli/'], codes: commandCodes },
  {
    title: "The daemon's state",
    rooms: ['daemon/state/', 'daemon/operations/problems.ts'],
    codes: stateCodes,
  },
  { title: 'The agent and the machines', rooms: ['appliance/agent/'], codes: agentCodes },
  {
    title: 'Backups',
    rooms: [
      'appliance/agent/adapters/etcd-data.ts',
      'appliance/agent/backup/',
      'appliance/agent/adapters/backup.ts',
    ],
    codes: backupCodes,
  },
  {
    title: 'Directories, receivers of the audit trail and of alerts',
    rooms: [
      'appliance/agent/outgoing/',
      'appliance/agent/directory/',
      'appliance/agent/audit-delivery/',
      'appliance/agent/health/',
    ],
    codes: outgoingCodes,
  },
  {
    title: 'Making Kubernetes',
    // The command turns TEARDOWN-001 into its exit code 5.
    rooms: ['provisioners/kubernetes/', 'daemon/cli/commands/outcome.ts'],
    codes: kubernetesCodes,
  },
  {
    title: 'Hooks',
    rooms: ['provisioners/kubernetes/', 'appliance/agent/adapters/hooks.ts'],
    codes: hookCodes,
  },
  { title: 'Payloads', rooms: ['provisioners/payload/'], codes: payloadCodes },
  {
    title: 'The lab',
    rooms: ['provisioners/infrastructure/lab/', 'appliance/agent/main.ts'],
    codes: labCodes,
  },
];

const introduction = `# Problem codes

<!-- Generated by scripts/reference from the catalogues (codes.ts) beside the code. Change those, not this page. -->

Whatever Remuda complains about has a code that stays the same over releases. The message names what you wrote or own;
this page says what stands behind it. Search for the code.

Four kinds: what you wrote cannot be (*user*), somebody must act and Remuda goes on looking (*blocked*), it may pass by
itself and is tried again (*transient*), or it is a mistake of ours (*fault*). [What to do when](what-to-do-when.md) helps
with what has no code. Preflight checks have [a page of their own](preflight.md).
`;

/** ui/docs/problems.md. */
export function renderProblems(): string {
  const sections = catalogues.map(({ title, codes }) => {
    const rows = Object.entries(codes)
      .toSorted(([one], [other]) => (one < other ? -1 : 1))
      .map(
        ([code, { title: what, explanation, remedy }]) =>
          `| <a id="${code.toLowerCase()}"></a>\`${code}\` | **${cell(what)}.** ${cell(explanation)} | ${cell(remedy)} |`,
      );
    return `## ${title}\n\n| code | what it means | what to do |\n|---|---|---|\n${rows.join('\n')}\n`;
  });
  return [introduction, ...sections].join('\n');
}

const cell = (text: string): string =>
  text.replaceAll('|', '\\|').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
