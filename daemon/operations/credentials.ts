import { conflicts } from './conflicts.ts';
import { contextFor } from './observation.ts';
import { subjectOf } from './plan-record.ts';
import type { Planners } from './planners.ts';
import { problems } from './problems.ts';
import type { Recorder } from './recorder.ts';
import { Refusal, type Credential, type CredentialRequest } from './requests.ts';
import type { Asking } from './asking.ts';

/** Longest life of a client certificate, seconds (DESIGN §6). */
const longestCredential = 3600;

/** What gets people into clusters, made by the agent. */
export class ClusterCredentials {
  readonly #recorder: Recorder;
  readonly #planners: Planners;
  readonly #ask: Asking;

  constructor(recorder: Recorder, planners: Planners, ask: Asking) {
    this.#recorder = recorder;
    this.#planners = planners;
    this.#ask = ask;
  }

  /** A short client certificate for a key that never leaves the caller. @throws Refusal */
  async issue(request: CredentialRequest): Promise<Credential> {
    const { state } = this.#recorder;
    const cluster = state.clusters.find(request.cluster);
    if (cluster === undefined)
      throw new Refusal('not-found', [problems.notFound('cluster', request.cluster)]);
    const holder = state.operations.holder(cluster.uid);
    if (holder !== undefined && conflicts[holder.kind].credential === 'refuse')
      throw new Refusal('conflict', [problems.conflict(request.cluster, holder.id, 'deletes it')]);
    const subject = subjectOf(state, this.#planners, cluster.uid);
    const { certificate, notAfter } = await this.#ask(subject.provider.site, 'issueCredential', {
      context: contextFor(state, subject),
      user: request.principal,
      groups: request.groups,
      request: request.request,
      seconds: Math.min(request.seconds, longestCredential),
    });
    const { host, port } = subject.desired.endpoint ?? { host: '', port: subject.desired.apiPort };
    const server = `https://${host.includes(':') ? `[${host}]` : host}:${port}`;
    return { certificate, notAfter, caCertificate: cluster.keys.public.caCertificate, server };
  }
}
