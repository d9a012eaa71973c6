import type { ClusterContext, Sealed } from '../../appliance/agent/protocol.ts';
import type { Json, JsonObject } from '../../provisioners/contract/json.ts';
import type { ClusterIdentity, MachineRef } from '../../provisioners/contract/machine.ts';
import type { Observed } from '../../provisioners/contract/observed.ts';
import { Blocked } from '../../provisioners/contract/problem.ts';
import type { State } from '../state/state.ts';
import type { AgentLink } from './link.ts';
import { type DesiredCluster, type DesiredProvider, secretsNamedIn } from './planners.ts';

/** A cluster as far as looking at it needs it. */
export interface Subject {
  readonly cluster: ClusterIdentity;
  readonly provider: DesiredProvider;
  readonly desired: DesiredCluster;
  /** Sealed cluster keys. */
  readonly keys: Sealed;
  /** Secrets that came with the request and are not stored yet. */
  readonly given?: Readonly<Record<string, Sealed>>;
}

/**
 * What an agent is told about the cluster: only those secrets that the provider, the cluster or the input names, and
 * each only to the destination it was given for.
 * @throws Blocked SECRET-001 when one is missing, SECRET-002 when it was given for another destination
 */
export function contextFor(state: State, subject: Subject, input: Json = null): ClusterContext {
  const names = new Set([
    ...namedInDocument(subject.provider.document),
    ...namedInDocument(subject.desired.document),
    ...secretsNamedIn(input),
  ]);
  const secrets: Record<string, Sealed> = {};
  for (const name of names)
    secrets[name] = subject.given?.[name] ?? keptSecret(state, subject.provider, name);
  // An operation may have begun before its keys were sealed to another agent.
  const keys = state.clusters.sealedKeys(subject.cluster.uid) ?? subject.keys;
  return { cluster: subject.cluster, provider: subject.provider.config, keys, secrets };
}

/** Documents never change, and a large one is sent along with thousands of steps. */
const namesByDocument = new WeakMap<JsonObject, readonly string[]>();

function namedInDocument(document: JsonObject): readonly string[] {
  const known = namesByDocument.get(document);
  if (known !== undefined) return known;
  const names = secretsNamedIn(document);
  namesByDocument.set(document, names);
  return names;
}

function keptSecret(state: State, provider: DesiredProvider, name: string): Sealed {
  const secret = state.secrets.get(name);
  if (secret === undefined)
    throw new Blocked(
      'SECRET-001',
      `the secret "${name}" that provider ${provider.name} names is not in the store`,
      {
        remedy: `Give it with: remuda secret set ${name}`,
        place: { document: `Provider/${provider.name}` },
        value: name,
      },
    );
  if (secret.destination !== undefined && secret.destination !== provider.destination)
    throw new Blocked(
      'SECRET-002',
      `the secret "${name}" was given for ${secret.destination} and is not handed to ${provider.destination}`,
      {
        remedy: `If that is meant, give it anew with: remuda secret set ${name}`,
        place: { document: `Provider/${provider.name}` },
        value: name,
      },
    );
  return secret.sealed;
}

/**
 * Looks at the cluster through the site's agent and adds what only the daemon remembers.
 * @throws Transient when no agent answers, or the agent's own problem
 */
export async function observeThrough(link: AgentLink, state: State, subject: Subject): Promise<Observed> {
  const references: Record<string, MachineRef> = {};
  const incarnations: Record<string, number> = {};
  const retired = state.retirements.list(subject.cluster.uid);
  // Masters that leave are asked last: what still runs on them may accept a question and never answer.
  const machines = state.machines
    .list(subject.cluster.uid)
    .toSorted((one, other) => Number(one.name in retired) - Number(other.name in retired));
  for (const machine of machines) {
    if (machine.reference !== undefined) references[machine.name] = machine.reference;
    if (machine.incarnation > 0) incarnations[machine.name] = machine.incarnation;
  }
  const { endpoint, nodeNetwork, apiPort } = subject.desired;
  const seen = await link.ask('observe', {
    context: contextFor(state, subject),
    references,
    apiPort,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(nodeNetwork === undefined ? {} : { nodeNetwork }),
  });
  return { ...seen, references, incarnations, retired };
}
