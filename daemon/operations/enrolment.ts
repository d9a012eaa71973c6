import { createHash, randomBytes } from 'node:crypto';
import type { EnrolRequest } from '../../appliance/agent/protocol/enrolment.ts';
import type { AgentLink } from './link.ts';
import type { AgentRecord } from '../state/agents.ts';
import { optional } from '../state/columns.ts';
import { problems } from './problems.ts';
import type { Note, Recorder } from './recorder.ts';
import { Refusal } from './requests.ts';
import type { AgentView, EnrolmentToken } from './answers.ts';
import type { Runner } from './runner.ts';

/** 256 bits: beyond guessing, whatever the rate of tries. */
const secretBytes = 32;

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Who may ask for a token, for which site, and for how long it is good. */
export interface TokenRequest {
  readonly site: string;
  readonly principal: string;
  readonly minutes: number;
}

/** Sites' agents: enrolment by single-use tokens, one active agent a site, replacing as an explicit act. */
export class Enrolment {
  readonly #recorder: Recorder;
  readonly #links: (site: string) => AgentLink;
  readonly #runner: Runner;

  constructor(recorder: Recorder, links: (site: string) => AgentLink, runner: Runner) {
    this.#recorder = recorder;
    this.#links = links;
    this.#runner = runner;
  }

  list(): readonly AgentView[] {
    return this.#recorder.state.agents.list().map((agent) => this.#view(agent));
  }

  async createToken(request: TokenRequest): Promise<EnrolmentToken> {
    if (this.#recorder.state.agents.get(request.site)?.recipient !== undefined)
      throw new Refusal('conflict', [problems.alreadyEnrolled(request.site)]);
    return this.#recorder.commit((note) => this.#issue(request, note));
  }

  /**
   * Makes the caller the site's agent. The identical request is answered again: an agent that died before it had the
   * answer on its disk asks with the key it kept, and whoever else repeats the request does not have that key.
   */
  async enrol(request: EnrolRequest): Promise<{ readonly site: string; readonly epoch: number }> {
    const { agents, clusters } = this.#recorder.state;
    const { recipient, release } = request;
    const by = hashOf(`${recipient}\n${request.request}`);
    return this.#recorder.commit((note, at) => {
      const use = agents.useEnrolment(hashOf(request.secret), by, at);
      if (use === undefined) throw new Refusal('invalid', [problems.badToken()]);
      const { site, isRepeat } = use;
      const known = agents.get(site);
      if (isRepeat && known?.recipient === recipient) return { site, epoch: known.epoch };
      if (known?.recipient !== undefined) throw new Refusal('conflict', [problems.alreadyEnrolled(site)]);
      const epoch = agents.enrol(site, { recipient, release, at });
      clusters.removeDraftsOf(site);
      note({ type: 'agent.enrolled', data: { site, epoch, release } });
      return { site, epoch };
    });
  }

  /** Gives the old agent's open attempts up in the same transaction that refuses it from now on. */
  async replace(request: TokenRequest): Promise<EnrolmentToken> {
    const { state } = this.#recorder;
    if (state.agents.get(request.site) === undefined)
      throw new Refusal('not-found', [problems.notFound('agent', request.site)]);
    const token = await this.#recorder.commit((note, at) => {
      state.agents.raiseEpoch(request.site);
      state.agents.removeEnrolments(request.site);
      const problem = problems.agentReplaced(request.site);
      for (const operation of state.operations.listUnfinished()) {
        if (state.providers.get(state.clusters.get(operation.cluster)?.provider ?? '')?.site !== request.site)
          continue;
        for (const { key } of state.attempts.listOpen(operation.id)) {
          state.attempts.end(key, { state: 'failed', problem, hardLimit: false }, at);
          state.steps.end(operation.id, key.step, { state: 'cancelled', at, problem });
        }
      }
      note({ type: 'agent.replaced', data: { site: request.site, principal: request.principal } });
      return this.#issue(request, note);
    });
    this.#runner.replaced(request.site);
    return token;
  }

  #issue({ site, principal, minutes }: TokenRequest, note: Note): EnrolmentToken {
    const secret = randomBytes(secretBytes).toString('base64url');
    const expiresAt = new Date(this.#recorder.clock.now() + minutes * 60_000).toISOString();
    this.#recorder.state.agents.addEnrolment({ hash: hashOf(secret), site, principal, expiresAt });
    note({ type: 'agent.token-created', data: { site, principal, expiresAt } });
    return { site, secret, expiresAt };
  }

  #view(agent: AgentRecord): AgentView {
    return {
      site: agent.site,
      state: this.#stateOf(agent.site, agent.recipient),
      epoch: agent.epoch,
      ...optional('release', agent.release),
      ...optional('enrolledAt', agent.enrolledAt),
      ...optional('lastSeen', agent.lastSeen),
    };
  }

  #stateOf(site: string, recipient: string | undefined): AgentView['state'] {
    if (recipient === undefined) return 'none';
    return this.#links(site).isConnected ? 'connected' : 'enrolled';
  }
}
