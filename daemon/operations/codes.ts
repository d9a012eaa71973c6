import type { ProblemCatalogue } from '../../provisioners/contract/problem.ts';

const operationCodes: ProblemCatalogue = {
  'OPS-001': {
    title: 'Waits for approval',
    explanation:
      'Planned again on a fresh look, the work would destroy something that nobody agreed to; or more principals must agree to the plan than have (spec.maintenance.approvals).',
    remedy: 'Read the plan, then approve with the name of the cluster, or cancel.',
  },
  'OPS-002': {
    title: 'The ground keeps moving',
    explanation:
      'Each time just before something is destroyed, the cluster looks different from what was planned on.',
    remedy: 'Find out who else changes its machines, then resume.',
  },
  'OPS-003': {
    title: 'The cluster is busy',
    explanation: 'One operation at a time works on a cluster.',
    remedy: 'Wait for it, or cancel it; the message names it.',
  },
  'OPS-004': {
    title: 'Somebody was quicker',
    explanation: 'The cluster has a newer revision than the one that --if-revision names.',
    remedy: 'Look at the cluster again and repeat your change on that.',
  },
  'OPS-005': {
    title: 'Destroying needs the name of the cluster',
    explanation: 'The plan destroys machines and what is on them.',
    remedy: 'If that is meant, add --confirm with the name of the cluster.',
  },
  'OPS-006': {
    title: 'The plan is no longer the reviewed one',
    explanation:
      'Something changed between review and start, and --plan allows no other plan. Nothing was started.',
    remedy: 'Review the new plan and apply with its hash.',
  },
  'OPS-007': {
    title: 'There is no such thing',
    explanation: 'The name is not known to this daemon.',
    remedy: 'List what there is with `remuda get`.',
  },
  'OPS-008': {
    title: 'The operation cannot be taken up again',
    explanation: 'It ended well, was replaced by a newer one, or still runs.',
    remedy: 'Apply the file again; what is done already is found and kept.',
  },
  'OPS-009': {
    title: 'The operation does not wait for approval',
    explanation: 'Approval was given already, or was never needed.',
    remedy: 'Look where it stands with `remuda describe operation ID`.',
  },
  'OPS-010': {
    title: 'The cluster is protected from deletion',
    explanation: 'spec.deletion.protected is true, which is the default.',
    remedy: 'Set it to false, apply the file, then delete.',
  },
  'OPS-011': {
    title: 'An idempotency key was used twice',
    explanation: 'A repeated request must be the same request; this one differs.',
    remedy: 'Use a new key for a new request.',
  },
  'OPS-012': {
    title: 'A file without documents',
    explanation: 'The file is empty or holds comments only.',
    remedy: 'Give a file with at least one Provider, Cluster or Secret document.',
  },
  'OPS-013': {
    title: 'Unknown provider',
    explanation: 'The provider that the cluster names is neither in the file nor in the store.',
    remedy: 'Add its Provider document to the file.',
  },
  'OPS-014': {
    title: 'Waits for a maintenance window',
    explanation:
      'What comes next disturbs what runs, and the document of the cluster names windows for that. Steps that were under way have ended.',
    remedy:
      'It goes on by itself when the window opens; an administrator may let one operation go on before.',
  },
  'OPS-015': {
    title: 'Pauses between two machines',
    explanation:
      'The document asks for time to watch what runs before the next machine is closed to new pods.',
    remedy: 'It goes on by itself. Cancel the operation if something is wrong.',
  },
  'OPS-016': {
    title: 'The operation is over',
    explanation: 'What is over does not wait for a maintenance window.',
    remedy: 'Look where it stands with `remuda describe operation ID`.',
  },
  'OPS-017': {
    title: 'Somebody agrees twice',
    explanation:
      'So many different principals must agree as the cluster asks for; who asked for it is one of them.',
    remedy: 'Ask somebody else to read the plan and approve it.',
  },
  'OPS-018': {
    title: 'Nobody waits for that word',
    explanation:
      'Only a machine that was to leave and could neither be destroyed nor switched off nor sealed off is waited for until a person says that it is off.',
    remedy: 'See with remuda describe cluster which machines are unfenced.',
  },
  'OPS-019': {
    title: 'That word needs the name of the machine',
    explanation:
      'A machine that could not be fenced may run still. When it does, and another takes its place, both may work with the same data and answer at the same address.',
    remedy: 'Switch it off for good or cut it off from the network, then add --confirm with its name.',
  },
};

const agentCodes: ProblemCatalogue = {
  'AGENT-001': {
    title: 'No agent is connected',
    explanation: 'The agent of the site does the work; without it nothing moves, and nothing is lost.',
    remedy:
      'Look whether the agent runs and reaches the daemon. If its machine is lost for good: remuda agent token SITE --replace.',
  },
  'AGENT-002': {
    title: 'The agent was replaced during a step',
    explanation: 'Somebody gave the site to a new agent while the old one worked.',
    remedy: 'Nothing is to be done: the step is planned again on what the new agent sees.',
  },
  'AGENT-003': {
    title: 'The enrolment token is not good',
    explanation: 'It is unknown, was used, or has expired; a token works once.',
    remedy: 'Make a new one: remuda agent token SITE.',
  },
  'AGENT-004': {
    title: 'The site has an agent already',
    explanation: 'A site has one agent, so that no work is done twice.',
    remedy: 'If that one is lost for good: remuda agent token SITE --replace.',
  },
  'AGENT-005': {
    title: 'No agent yet',
    explanation: 'Agents look and work, and secrets are sealed to them; none has enrolled yet.',
    remedy: 'Make a token with `remuda agent token SITE`, start an agent with it, then repeat the command.',
  },
  'AGENT-006': {
    title: 'The site has no agent yet',
    explanation: 'Its agent looks at machines and makes them; none has enrolled, or it is being replaced.',
    remedy: 'Make a token with `remuda agent token SITE`, start an agent with it, then repeat the command.',
  },
  'SECRET-001': {
    title: 'The secret is not in the store',
    explanation: 'A provider names a secret that was never given, or was removed.',
    remedy: 'Give it with `remuda secret set NAME`.',
  },
  'SECRET-002': {
    title: 'The secret was given for another destination',
    explanation:
      'A secret is bound to the server it was given for, so that a changed file cannot send it elsewhere.',
    remedy: 'If the new destination is meant, give the secret anew.',
  },
  'SECRET-003': {
    title: 'The secret is in use',
    explanation: 'A document of the store refers to it.',
    remedy: 'Change that document first.',
  },
};

const linkCodes: ProblemCatalogue = {
  'LINK-001': {
    title: 'Agent and daemon are too far apart',
    explanation: 'Their protocols may differ by one release.',
    remedy: 'Update the older of the two; work waits until then.',
  },
  'LINK-002': {
    title: 'A replaced agent came back',
    explanation: 'Its epoch is older than that of the active agent, so it is refused.',
    remedy: 'Stop it. If it is the one you want, enrol it again with a fresh token.',
  },
  'LINK-003': {
    title: 'An agent says it is another one',
    explanation: 'What it says of itself differs from its certificate.',
    remedy: 'Enrol it again with a fresh token, or stop it.',
  },
  'LINK-004': {
    title: 'An agent sent what is no report',
    explanation: 'Agent and daemon do not understand each other. This is a mistake of Remuda.',
    remedy: 'Update both to the same release, and please report it with the logs of both.',
  },
  'LINK-005': {
    title: 'The agent is away',
    explanation: 'It is not connected, or went away before it answered a question.',
    remedy: 'See that it runs, then repeat the command.',
  },
  'LINK-006': {
    title: 'The agent did not answer in time',
    explanation: 'It is connected, and something it looks at is slow or stuck.',
    remedy: 'Repeat the command; if it stays so, read the log of the agent.',
  },
  'LINK-007': {
    title: 'The agent cannot look for drift',
    explanation: 'It is of a release that does not know this question.',
    remedy: 'Update the agent of the site to the release of the daemon.',
  },
};

/** Every code of the engine, of its secrets and of its link to the agents. Stable; none is ever given a new meaning. */
export const engineCodes: ProblemCatalogue = { ...operationCodes, ...agentCodes, ...linkCodes };
