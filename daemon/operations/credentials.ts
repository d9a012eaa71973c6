import type { AgentOutgoing } from '../../appliance/agent/protocol/outgoing.ts';
import type { ClusterAccount } from '../../appliance/agent/protocol/questions.ts';
import type { Instant } from '../../provisioners/contract/time.ts';
import type { ClusterRecord } from '../state/clusters.ts';
import type { Asking } from './asking.ts';
import { conflicts } from './conflicts.ts';
import type { AgentLink } from './link.ts';
import { contextFor } from './observation.ts';
import { subjectOf } from './plan-record.ts';
import type { DesiredCluster, Planners } from './planners.ts';
import { asRefusal } from './preparation.ts';
import { problems } from './problems.ts';
import type { Recorder } from './recorder.ts';
import { Refusal, type CredentialRequest } from './requests.ts';
import type { Credential } from './answers.ts';

/** Longest life of a client certificate, seconds (DESIGN §6). */
const longestCredential = 3600;

/** Group of those who may do everything in a cluster; all others may look. */
const administrators = 'remuda:cluster-admins';

/** A token of one person for one cluster. */
export interface TokenRequest {
  readonly cluster: string;
  /** Id of the credential. */
  readonly id: string;
  readonly principal: string;
  /** Group that the person's certificates are for: it decides the role. */
  readonly group: string;
  readonly seconds: number;
}

/** What gets programs of people into clusters, for the API. */
export interface CredentialDoors {
  /** A short client certificate for a key that never leaves the caller. @throws Refusal */
  issue(request: CredentialRequest): Promise<Credential>;
  /** Makes an account in the cluster and a token of it. @throws Refusal when the agent or the cluster is away */
  issueToken(
    request: TokenRequest,
  ): Promise<{ readonly token: string; readonly expiresAt: Instant; readonly server: string }>;
  /** Removes the account; from then on the token is refused. @throws Refusal when that cannot be done now */
  revokeToken(cluster: string, id: string): Promise<void>;
}

/** What gets people into clusters, made by the agent. */
export class ClusterCredentials implements CredentialDoors {
  readonly #recorder: Recorder;
  readonly #planners: Planners;
  readonly #ask: Asking;
  readonly #links: (site: string) => AgentLink;

  constructor(recorder: Recorder, planners: Planners, ask: Asking, links: (site: string) => AgentLink) {
    this.#recorder = recorder;
    this.#planners = planners;
    this.#ask = ask;
    this.#links = links;
  }

  async issue(request: CredentialRequest): Promise<Credential> {
    const { state } = this.#recorder;
    const cluster = this.#clusterFor(request.cluster);
    const subject = subjectOf(state, this.#planners, cluster.uid);
    const { certificate, notAfter } = await this.#ask(subject.provider.site, 'issueCredential', {
      context: contextFor(state, subject),
      user: `remuda:${request.principal}`,
      groups: request.groups,
      request: request.request,
      seconds: Math.min(request.seconds, longestCredential),
    });
    return {
      certificate,
      notAfter,
      caCertificate: cluster.keys.public.caCertificate,
      server: serverOf(subject.desired),
    };
  }

  async issueToken({ cluster: name, id, principal, group, seconds }: TokenRequest) {
    const cluster = this.#clusterFor(name);
    const role = group === administrators ? 'cluster-admin' : 'view';
    const account = this.#accountIn(cluster, id);
    const { server, site } = this.#whereabouts(cluster);
    const issued = await this.#reach(site, 'cluster.token', { ...account, principal, role, seconds });
    return { ...issued, server };
  }

  async revokeToken(name: string, id: string): Promise<void> {
    const cluster = this.#clusterFor(name);
    const { site } = this.#whereabouts(cluster);
    await this.#reach(site, 'cluster.revoke-token', this.#accountIn(cluster, id));
  }

  /** @throws Refusal when there is none, or it is being deleted */
  #clusterFor(name: string): ClusterRecord {
    const { state } = this.#recorder;
    const cluster = state.clusters.find(name);
    if (cluster === undefined) throw new Refusal('not-found', [problems.notFound('cluster', name)]);
    const holder = state.operations.holder(cluster.uid);
    if (holder !== undefined && conflicts[holder.kind].credential === 'refuse')
      throw new Refusal('conflict', [
        problems.conflict(name, holder.id, holder.kind === 'delete' ? 'deletes it' : 'gives it away'),
      ]);
    return cluster;
  }

  #whereabouts(cluster: ClusterRecord): { readonly server: string; readonly site: string } {
    const { desired, provider } = subjectOf(this.#recorder.state, this.#planners, cluster.uid);
    return { server: serverOf(desired), site: provider.site };
  }

  /** Its masters as last seen: one that answers is enough. */
  #accountIn(cluster: ClusterRecord, id: string): ClusterAccount {
    const { state } = this.#recorder;
    const subject = subjectOf(state, this.#planners, cluster.uid);
    const roles = new Map(cluster.observed?.machines?.map((machine) => [machine.name, machine.role]));
    const masters = state.machines
      .list(cluster.uid)
      .flatMap(({ name, reference }) =>
        reference !== undefined && (roles.get(name) ?? 'control-plane') === 'control-plane'
          ? [reference]
          : [],
      );
    return { context: contextFor(state, subject), masters, apiPort: subject.desired.apiPort, id };
  }

  async #reach<Name extends keyof AgentOutgoing>(
    site: string,
    name: Name,
    request: Parameters<AgentOutgoing[Name]>[0],
  ): Promise<Awaited<ReturnType<AgentOutgoing[Name]>>> {
    const link = this.#links(site);
    if (!link.isConnected || link.reach === undefined)
      throw new Refusal('unavailable', [problems.noAgent(site)]);
    try {
      return await link.reach(name, request);
    } catch (error) {
      throw asRefusal(error);
    }
  }
}

function serverOf({ endpoint, apiPort }: DesiredCluster): string {
  const { host, port } = endpoint ?? { host: '', port: apiPort };
  return `https://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
