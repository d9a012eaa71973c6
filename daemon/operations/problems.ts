import { isUpgradeInPlace } from './review.ts';
import type { ProblemReport } from '../../provisioners/contract/problem.ts';

/** A plan that waits for somebody's word. */
interface Asked {
  readonly cluster: string;
  readonly operation: string;
  /** Number of the plan within the operation. */
  readonly number: number;
  /** Machines that would be destroyed without anybody's word. */
  readonly names: readonly string[];
  readonly needed: number;
  /** How it differs from what was agreed to. */
  readonly changes: readonly string[];
}

const someOf = (sentences: readonly string[]): string =>
  sentences.length <= 3
    ? sentences.join('; ')
    : `${sentences.slice(0, 3).join('; ')}; and ${sentences.length - 3} more`;

function whyAsked({ cluster, number, names, changes }: Asked): string {
  if (changes.length > 0)
    return `the plan for cluster ${cluster} is no longer the one that was agreed to: ${someOf(changes)}`;
  if (number > 1 && names.length > 0)
    return `planned anew, cluster ${cluster} would lose ${names.join(', ')}, which nobody agreed to yet`;
  return `the plan for cluster ${cluster} waits for approval`;
}

/** What a plan costs that must be confirmed. */
/** What is read of a plan to say what it costs. */
interface PlanCost {
  readonly kind: string;
  readonly destroys: readonly string[];
  readonly steps?: readonly { readonly kind: string; readonly subject: string }[];
}

function costOf(cluster: string, { kind, destroys, steps = [] }: PlanCost): string {
  if (kind === 'delete')
    return `deleting cluster ${cluster} destroys ${destroys.length} machines and what is on them`;
  if (kind === 'eject')
    return `ejecting cluster ${cluster} makes Remuda forget it: it lives on, and nobody looks after it any more`;
  if (kind === 'adopt') return `taking over cluster ${cluster} locks out the Remuda that keeps it until now`;
  if (kind === 'restore') return `restoring cluster ${cluster} gives up what was written to it since`;
  if (destroys.length === 0 && steps.some(isUpgradeInPlace))
    return `this plan upgrades machines of cluster ${cluster} where they stand, and there is no way back from that but a backup of etcd`;
  if (destroys.length === 0) {
    const leaving = steps.flatMap(({ kind: step, subject }) =>
      step === 'etcd-member.remove' ? subject : [],
    );
    return `this plan takes ${leaving.join(', ')} out of etcd of cluster ${cluster}`;
  }
  return `this plan destroys ${destroys.join(', ')} of cluster ${cluster}`;
}

/** Who has agreed, and how many are missing. */
const wordsNeeded = (needed: number, agreed: readonly string[]): string => {
  const missing = needed - agreed.length;
  const who = agreed.length === 0 ? 'nobody has agreed yet' : `${agreed.join(', ')} agreed`;
  return `${needed} principals must agree: ${who}, ${missing} ${missing === 1 ? 'is' : 'are'} missing`;
};

/** Problems that the engine itself finds, by stable code. */
export const problems = {
  noAgent: (site: string): ProblemReport => ({
    kind: 'transient',
    code: 'AGENT-001',
    summary: `no agent of site "${site}" is connected; work goes on where it stands when it comes back`,
    remedy: `Look whether the agent runs and reaches this daemon. If it is lost for good: remuda agent token ${site} --replace`,
  }),
  /** A question to a site that cannot be asked just now; nothing was begun. */
  cannotAsk: (site: string, isEnrolled: boolean): ProblemReport =>
    isEnrolled
      ? {
          kind: 'transient',
          code: 'AGENT-001',
          summary: `no agent of site "${site}" is connected, so nobody can look; nothing was begun`,
          remedy: `Look whether the agent runs and reaches this daemon. If it is lost for good: remuda agent token ${site} --replace`,
        }
      : {
          kind: 'blocked',
          code: 'AGENT-006',
          summary: `site "${site}" has no agent yet, so nobody can look; nothing was begun`,
          remedy: `Make a token (remuda agent token ${site}), start an agent with it, then repeat this`,
        },
  agentReplaced: (site: string): ProblemReport => ({
    kind: 'transient',
    code: 'AGENT-002',
    summary: `the agent of site "${site}" was replaced while this step was under way`,
    remedy: 'Nothing: the step is planned again on what the new agent sees.',
  }),
  noSpace: (): ProblemReport => ({
    kind: 'blocked',
    code: 'STATE-004',
    summary: 'the disk that holds the state is full: running steps finish, nothing new is started',
    remedy: 'Make room on the disk of the state folder; work goes on by itself.',
  }),
  /** `agreed`: who has agreed to this very plan. */
  needsApproval: (asked: Asked, agreed: readonly string[]): ProblemReport => ({
    kind: 'blocked',
    code: 'OPS-001',
    summary: [whyAsked(asked), ...(asked.needed === 1 ? [] : [wordsNeeded(asked.needed, agreed)])].join('; '),
    remedy: `${agreed.length === 0 ? 'Read the plan' : 'Somebody else reads the plan'}, then: remuda operation approve ${asked.operation} --confirm ${asked.cluster}, or cancel`,
  }),
  windowClosed: (
    cluster: string,
    operation: string,
    { step, opens }: { readonly step: string; readonly opens: string },
  ): ProblemReport => ({
    kind: 'blocked',
    code: 'OPS-014',
    summary: `"${step}" and what follows disturb what runs in cluster ${cluster}, and wait for its maintenance window, which ${opens}`,
    remedy: `Nothing: it goes on by itself then. Sooner: change spec.maintenance.windows of the cluster, or let this operation go on now (remuda operation override-window ${operation} --confirm ${cluster})`,
  }),
  pausing: (
    cluster: string,
    { step, until }: { readonly step: string; readonly until: string },
  ): ProblemReport => ({
    kind: 'blocked',
    code: 'OPS-015',
    summary: `a machine of cluster ${cluster} has just gone; "${step}" waits until ${until}, so that what runs can be watched`,
    remedy:
      'Nothing: it goes on by itself then. The time is spec.maintenance.drain.pauseBetween of the cluster; cancel if something is wrong',
  }),
  notOpen: (operation: string): ProblemReport => ({
    kind: 'user',
    code: 'OPS-016',
    summary: `operation ${operation} is over, so nothing of it waits for a maintenance window`,
    remedy: `remuda describe operation ${operation} says where it stands`,
  }),
  needsNameForWindow: (cluster: string, operation: string): ProblemReport => ({
    kind: 'user',
    code: 'OPS-005',
    summary: `operation ${operation} would disturb what runs in cluster ${cluster} outside its maintenance windows`,
    remedy: `If that is meant, say the cluster's name: --confirm ${cluster}`,
  }),
  agreedAlready: (operation: string, principal: string, missing: number): ProblemReport => ({
    kind: 'user',
    code: 'OPS-017',
    summary: `${principal} has agreed to operation ${operation} already; ${missing === 1 ? 'one other principal is' : `${missing} others are`} missing`,
    remedy: 'Ask somebody else who has the role operator for this cluster to read the plan and approve it',
    value: principal,
  }),
  premisesMove: (cluster: string): ProblemReport => ({
    kind: 'blocked',
    code: 'OPS-002',
    summary: `what was seen of cluster ${cluster} keeps changing just before something would be destroyed`,
    remedy: 'Find out who else changes its machines, then resume.',
  }),
  conflict: (cluster: string, operation: string, what: string): ProblemReport => ({
    kind: 'user',
    code: 'OPS-003',
    summary: `cluster ${cluster} is held by operation ${operation}, which ${what}`,
    remedy: `Wait for it (remuda logs -f ${operation}) or end it (remuda operation cancel ${operation})`,
  }),
  staleRevision: (cluster: string, expected: number, found: number): ProblemReport => ({
    kind: 'user',
    code: 'OPS-004',
    summary: `cluster ${cluster} is at revision ${found}, not at ${expected}: somebody changed it since you looked`,
    remedy: `Look at it again (remuda get cluster ${cluster} -o yaml) and repeat your change on that`,
  }),
  needsConfirmation: (cluster: string, plan: PlanCost): ProblemReport => ({
    kind: 'user',
    code: 'OPS-005',
    summary: costOf(cluster, plan),
    remedy: `If that is meant, say the cluster's name: --confirm ${cluster}`,
  }),
  planChanged: (cluster: string): ProblemReport => ({
    kind: 'user',
    code: 'OPS-006',
    summary: `the plan for ${cluster} is no longer the one that was reviewed; nothing was started`,
    remedy: 'Read the changes, review the new plan (remuda plan) and apply with its hash',
  }),
  notFound: (what: string, name: string): ProblemReport => ({
    kind: 'user',
    code: 'OPS-007',
    summary: `there is no ${what} "${name}"`,
    remedy: `remuda get ${what}s shows what there is`,
    value: name,
  }),
  notResumable: (operation: string, why: string): ProblemReport => ({
    kind: 'user',
    code: 'OPS-008',
    summary: `operation ${operation} cannot be taken up again: ${why}`,
    remedy: 'Apply the file again; what is done already is found and kept',
  }),
  notWaiting: (operation: string): ProblemReport => ({
    kind: 'user',
    code: 'OPS-009',
    summary: `operation ${operation} does not wait for approval`,
    remedy: `remuda describe operation ${operation} says where it stands`,
  }),
  isProtected: (cluster: string): ProblemReport => ({
    kind: 'user',
    code: 'OPS-010',
    summary: `cluster ${cluster} is protected from deletion`,
    remedy: 'Set deletion.protected to false in its file, apply it, then delete',
    place: { document: `Cluster/${cluster}`, field: 'spec.deletion.protected' },
    value: 'true',
  }),
  keyReused: (key: string): ProblemReport => ({
    kind: 'user',
    code: 'OPS-011',
    summary: `the idempotency key "${key}" was used for another request`,
    remedy: 'Use a new key for a new request',
    value: key,
  }),
  nothingToApply: (file: string): ProblemReport => ({
    kind: 'user',
    code: 'OPS-012',
    summary: `${file} holds no document`,
    remedy: 'Give a file with at least one Provider, Cluster or Secret document',
    place: { file },
  }),
  badToken: (): ProblemReport => ({
    kind: 'user',
    code: 'AGENT-003',
    summary: 'this enrolment token is unknown, used or expired',
    remedy: 'Make a new one: remuda agent token SITE',
  }),
  alreadyEnrolled: (site: string): ProblemReport => ({
    kind: 'user',
    code: 'AGENT-004',
    summary: `site "${site}" has an agent already`,
    remedy: `If that one is lost for good: remuda agent token ${site} --replace`,
    value: site,
  }),
  noRecipient: (): ProblemReport => ({
    kind: 'blocked',
    code: 'AGENT-005',
    summary: 'no agent is enrolled yet: there is nobody to ask, and nobody to seal a secret to',
    remedy: 'Make a token (remuda agent token SITE), start an agent with it, then repeat this',
  }),
  secretInUse: (name: string, user: string): ProblemReport => ({
    kind: 'user',
    code: 'SECRET-003',
    summary: `the secret "${name}" is used by ${user}`,
    remedy: 'Change that first',
    value: name,
  }),
  unknownProvider: (cluster: string, provider: string): ProblemReport => ({
    kind: 'user',
    code: 'OPS-013',
    summary: `cluster ${cluster} names the provider "${provider}", which is neither in the file nor in the store`,
    remedy: 'Add its Provider document to the file',
    place: { document: `Cluster/${cluster}`, field: 'spec.provider' },
    value: provider,
  }),
} as const;
