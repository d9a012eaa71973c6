import type { ClusterContext, Sealed } from '../../appliance/agent/protocol/dispatch.ts';
import type { AuthoritySource } from '../../provisioners/contract/authority.ts';
import type { Json, JsonObject } from '../../provisioners/contract/json.ts';
import type { ClusterIdentity, MachineRef } from '../../provisioners/contract/machine.ts';
import type { Observed, ObservedDrift } from '../../provisioners/contract/observed.ts';
import { Blocked } from '../../provisioners/contract/problem.ts';
import type { State } from '../state/state.ts';
import type { AgentLink } from './link.ts';
import { backupDestinationIn, secretOfBackup } from '../spec/destination.ts';
import { secretOfAuthority } from '../spec/authority.ts';
import { secretOfHook } from '../spec/hooks.ts';
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
  const { provider, desired } = subject;
  const place = backupDestinationIn(input);
  const ofBackup = place && secretOfBackup(place);
  // What backups and hooks need goes with those steps alone that name it: without it the cluster is looked after all the same.
  const aside = new Set([
    secretOfBackup(desired.backup.destination)?.name,
    ...desired.hookSecrets.map(({ name }) => name),
    // What signs is needed once, when keys are drawn, and may be taken out of the store then.
    ...(desired.authority === undefined ? [] : [desired.authority.credentials.secretRef]),
  ]);
  const ofHook = secretOfHook(input);
  const names = new Set([
    ...namedInDocument(provider.document),
    ...namedInDocument(desired.document).filter((name) => !aside.has(name)),
    ...secretsNamedIn(input),
  ]);
  const byProvider = { by: `provider ${provider.name}`, document: `Provider/${provider.name}` };
  const byHook = { by: `a hook of cluster ${desired.name}`, document: `Cluster/${desired.name}` };
  const byBackup = { by: `the backup of cluster ${desired.name}`, document: `Cluster/${desired.name}` };
  const userOf = (name: string): SecretUser => {
    if (name === ofBackup?.name) return { ...byBackup, destination: ofBackup.destination };
    if (name === ofHook?.name) return { ...byHook, destination: ofHook.destination };
    return { ...byProvider, destination: provider.destination };
  };
  const secrets: Record<string, Sealed> = {};
  for (const name of names) secrets[name] = subject.given?.[name] ?? keptSecret(state, name, userOf(name));
  // An operation may have begun before its keys were sealed to another agent.
  const keys = state.clusters.sealedKeys(subject.cluster.uid) ?? subject.keys;
  const known = keys === '' ? {} : { keys };
  return { cluster: subject.cluster, provider: subject.provider.config, ...known, secrets };
}

/**
 * What an agent is told to draw the keys of a cluster that somebody else signs for: that one secret.
 * @throws Blocked as {@link contextFor}
 */
export function authorityContext(
  state: State,
  subject: Omit<Subject, 'keys'>,
  source: AuthoritySource,
): ClusterContext {
  const { name, destination } = secretOfAuthority(source);
  const user = {
    by: `the authority of cluster ${subject.desired.name}`,
    document: `Cluster/${subject.desired.name}`,
    ...(destination === undefined ? {} : { destination }),
  };
  const sealed = subject.given?.[name] ?? keptSecret(state, name, user);
  return { cluster: subject.cluster, provider: subject.provider.config, secrets: { [name]: sealed } };
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

/** Who names a secret, and the server it would be given to. */
interface SecretUser {
  readonly by: string;
  readonly document: string;
  /** Absent: it is given to nobody, and used by the agent alone. */
  readonly destination?: string;
}

function keptSecret(state: State, name: string, { by, document, destination }: SecretUser): Sealed {
  const secret = state.secrets.get(name);
  if (secret === undefined)
    throw new Blocked('SECRET-001', `the secret "${name}" that ${by} names is not in the store`, {
      remedy: `Give it with: remuda secret set ${name}`,
      place: { document },
      value: name,
    });
  if (secret.destination !== undefined && secret.destination !== destination)
    throw new Blocked(
      'SECRET-002',
      `the secret "${name}" was given for ${secret.destination} and is not handed to ${destination}`,
      {
        remedy: `If that is meant, give it anew with: remuda secret set ${name}`,
        place: { document },
        value: name,
      },
    );
  return secret.sealed;
}

/**
 * What the last deep look found, as long as it may be so still: an operation that has ended since, whatever became of
 * it, has worked on what was seen.
 */
export function driftNow(state: State, cluster: string): ObservedDrift | undefined {
  const drift = state.health.getDrift(cluster);
  const [last] = state.operations.list(cluster, 1);
  const isOlder = drift !== undefined && last?.endedAt !== undefined && last.endedAt > drift.at;
  return isOlder ? undefined : drift;
}

/**
 * Looks at the cluster through the site's agent and adds what only the daemon remembers.
 * @throws Transient when no agent answers, or the agent's own problem
 */
export async function observeThrough(link: AgentLink, state: State, subject: Subject): Promise<Observed> {
  const references: Record<string, MachineRef> = {};
  const incarnations: Record<string, number> = {};
  const addresses: Record<string, string> = {};
  const retired = state.retirements.list(subject.cluster.uid);
  // Masters that leave are asked last: what still runs on them may accept a question and never answer.
  const machines = state.machines
    .list(subject.cluster.uid)
    .toSorted((one, other) => Number(one.name in retired) - Number(other.name in retired));
  for (const machine of machines) {
    if (machine.reference !== undefined) references[machine.name] = machine.reference;
    if (machine.incarnation > 0) incarnations[machine.name] = machine.incarnation;
    if (machine.address !== undefined) addresses[machine.name] = machine.address;
  }
  const { endpoint, nodeNetwork, apiPort } = subject.desired;
  const seen = await link.ask('observe', {
    context: contextFor(state, subject),
    references,
    apiPort,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(nodeNetwork === undefined ? {} : { nodeNetwork }),
  });
  const drift = driftNow(state, subject.cluster.uid);
  return { ...seen, references, incarnations, addresses, retired, ...(drift === undefined ? {} : { drift }) };
}

/** Whether a cluster may have made anything outside of its machines: the journal knows whether it ever served. */
export const pastOf = (state: State, uid: string): { readonly wasServing: boolean } => ({
  wasServing: state.attempts.hasReceipt(uid, 'control-plane.init'),
});
