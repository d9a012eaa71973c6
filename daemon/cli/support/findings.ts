import type { AgentView, ClusterDetail, OperationDetail, ServerView } from '../../api/types.ts';
import { certificatesText } from '../certificates.ts';
import { humaneDuration } from '../times.ts';

/** Certificates that end sooner are worth a sentence, milliseconds: 90 days. */
const certificateWarning = 90 * 24 * 60 * 60_000;

/** What was read of a site, as far as it could be. */
export interface Gathered {
  server?: ServerView;
  agents: readonly AgentView[];
  readonly clusters: ClusterDetail[];
  readonly operations: OperationDetail[];
}

/** What does not look as it should, one sentence each: where whoever opens the case begins. */
export function findingsOf({ server, agents, clusters, operations }: Gathered, release: string): string[] {
  const found: string[] = [];
  if (server === undefined) found.push('The server could not be asked.');
  else if (server.release !== release)
    found.push(`The command is of release ${release}, the server of ${server.release}.`);
  if (server?.problem !== undefined)
    found.push(`The server takes on no work: ${server.problem.code}: ${server.problem.summary}`);
  for (const agent of agents) found.push(...agentFindings(agent, server));
  for (const cluster of clusters) found.push(...clusterFindings(cluster));
  for (const operation of operations) found.push(...operationFindings(operation));
  return found;
}

function agentFindings(agent: AgentView, server: ServerView | undefined): string[] {
  const seen = agent.lastSeen === undefined ? 'never seen' : `last seen ${agent.lastSeen}`;
  const isOther = agent.release !== undefined && server !== undefined && agent.release !== server.release;
  return [
    ...(agent.state === 'connected' ? [] : [`The agent of site ${agent.site} is not connected (${seen}).`]),
    ...(isOther ? [`The agent of site ${agent.site} is of release ${agent.release}.`] : []),
  ];
}

function clusterFindings({ name, phase, observed }: ClusterDetail): string[] {
  const about = `Cluster ${name}`;
  if (observed === undefined) return [`${about} is ${phase} and was never looked at.`];
  const soon = (observed.certificates ?? []).filter(
    ({ notAfter }) => Date.parse(notAfter) - Date.now() < certificateWarning,
  );
  return [
    ...(phase === 'Ready' ? [] : [`${about} is ${phase}.`]),
    ...observed.unseen.map((sentence) => `${about}, ${observed.at}: ${sentence}`),
    ...(observed.machines ?? [])
      .filter(({ state }) => state !== 'running')
      .map((machine) => `${about}: machine ${machine.name} is ${machine.state}.`),
    ...(observed.nodes ?? [])
      .filter(({ ready }) => !ready)
      .map(
        (node) => `${about}: node ${node.name} is not Ready: ${node.notReadyBecause ?? 'no reason given'}`,
      ),
    ...(observed.voters ?? [])
      .filter(({ healthy, learner, started }) => !healthy || learner || !started)
      .map((member) => `${about}: etcd member ${member.name || member.id} is not a healthy voter.`),
    ...(soon.length === 0 ? [] : [`${about}: of its certificates ${certificatesText(soon)}.`]),
  ];
}

function operationFindings(operation: OperationDetail): string[] {
  const about = `Operation ${operation.id} (${operation.kind} ${operation.cluster.name})`;
  const { problem } = operation;
  return [
    ...(problem === undefined ? [] : [`${about} is ${operation.state}: ${problem.code}: ${problem.summary}`]),
    ...(operation.bypass.length === 0 ? [] : [`${about} bypassed ${operation.bypass.join(', ')}.`]),
    ...operation.stepList.flatMap(({ id, state, waiting, problem: own }) => [
      ...(state === 'running' && waiting !== undefined
        ? [
            `${about}, ${id}: waits for ${waiting.what} since ${waiting.since} (usually ${humaneDuration(waiting.usually)}); last seen: ${waiting.lastSeen}`,
          ]
        : []),
      ...(own === undefined ? [] : [`${about}, ${id}: ${own.code}: ${own.summary}`]),
    ]),
  ];
}
