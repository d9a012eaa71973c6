import type { Plan } from '../../provisioners/contract/plan.ts';
import { type ProblemReport, Transient } from '../../provisioners/contract/problem.ts';
import type { RotationStage } from '../../provisioners/contract/secrets.ts';
import { proofsIn } from '../planning/rotation.ts';
import type { DrawnKeys } from '../state/clusters.ts';
import type { PlanAnswer } from './answers.ts';
import { requireAgent } from './asking.ts';
import { digestOfAuthority } from './authority.ts';
import type { DayTwoDoors, IntentAnswer } from './day-two.ts';
import type { AgentLink } from './link.ts';
import { authorityContext, contextFor, type Subject } from './observation.ts';
import { asRefusal, type Preparation } from './preparation.ts';
import { problems } from './problems.ts';
import type { Recorder } from './recorder.ts';
import { Refusal } from './requests.ts';
import { rotationProblems } from './rotation-problems.ts';

/** One stage of a rotation of a cluster's authorities, and its plan. */
export interface RotationRequest {
  readonly cluster: string;
  readonly principal: string;
  readonly stage: RotationStage;
  /** With `drop`: certificates that people got under the old authority end at once, instead of being waited for. */
  readonly endsCredentials?: boolean;
  readonly bypass?: readonly string[];
  readonly planHash?: string;
  readonly confirm?: string;
  readonly idempotencyKey?: string;
}

/** What rotating needs. */
export interface RotatingParts {
  readonly recorder: Recorder;
  readonly links: (site: string) => AgentLink;
  readonly dayTwo: DayTwoDoors;
  readonly preparation: Pick<Preparation, 'recipients'>;
}

/** What the API asks of it. */
export type RotationDoors = Pick<Rotating, 'plan' | 'start'>;

/** A cluster whose authorities are rotated, its keys as they are, and the agent that reaches it. */
interface Ground {
  readonly subject: Subject;
  readonly keys: DrawnKeys;
  readonly link: AgentLink;
}

/** Longest life of what people are given, milliseconds (DESIGN §6). */
const longestCredential = 3_600_000;

/**
 * Rotates the authorities of a cluster in three stages, each an intent like every other. What would leave somebody behind is
 * refused before anything begins; the keys change in the transaction that begins the operation, so that neither is ever
 * without the other.
 */
export class Rotating {
  readonly #parts: RotatingParts;

  constructor(parts: RotatingParts) {
    this.#parts = parts;
  }

  /** What it would do and what holds it, from a fresh look. Starts nothing, draws nothing. */
  plan(request: RotationRequest): Promise<PlanAnswer> {
    return this.#parts.dayTwo.plan(this.#asked(request), async (subject, plan) => {
      try {
        return await this.#obstacles(request, this.#ground(request, subject), plan);
      } catch (error) {
        throw asRefusal(error);
      }
    });
  }

  /** Begins it. @throws Refusal CERT-013 or CERT-014 while somebody would be left behind */
  start(request: RotationRequest): Promise<IntentAnswer> {
    return this.#parts.dayTwo.start(this.#asked(request), async (subject, plan) => {
      try {
        const ground = this.#ground(request, subject);
        const [obstacle, ...others] = await this.#obstacles(request, ground, plan);
        if (obstacle !== undefined) throw new Refusal('conflict', [obstacle, ...others]);
        return await this.#rotated(request.stage, ground);
      } catch (error) {
        throw asRefusal(error);
      }
    });
  }

  /** @throws Refusal where no agent is there, or the cluster is gone */
  #ground({ cluster }: RotationRequest, subject: Subject): Ground {
    const { state } = this.#parts.recorder;
    const { site } = subject.provider;
    const link = this.#parts.links(site);
    requireAgent(state, link, site);
    const { keys } = state.clusters.get(subject.cluster.uid) ?? {};
    if (keys === undefined) throw new Refusal('not-found', [problems.notFound('cluster', cluster)]);
    return { subject, keys, link };
  }

  /** Who would be left behind by the stage, and what people hold that it would end. */
  async #obstacles(request: RotationRequest, ground: Ground, plan: Plan): Promise<readonly ProblemReport[]> {
    const held = request.stage === 'drop' ? this.#heldByPeople(request, ground) : [];
    return [...held, ...(await this.#leftBehind(request, ground, plan))];
  }

  #asked({ stage, endsCredentials: _consent, ...request }: RotationRequest) {
    return { ...request, intent: { kind: 'rotate' as const, stage } };
  }

  /** Certificates that people were given under the old authority, and that have not run out. */
  #heldByPeople({ endsCredentials, cluster }: RotationRequest, { subject, keys }: Ground): ProblemReport[] {
    const { recorder } = this.#parts;
    const { rotation } = keys.public;
    if (endsCredentials === true || rotation === undefined) return [];
    const switched = Date.parse(rotation.since);
    const { uid } = subject.cluster;
    const ends = recorder.state.credentials.list(uid).map(({ validUntil = '' }) => Date.parse(validUntil));
    const until = Math.min(
      switched + longestCredential,
      Math.max(0, ...ends.filter((end) => end > switched)),
    );
    if (until <= recorder.clock.now()) return [];
    return [rotationProblems.credentialsLeft(cluster, new Date(until).toISOString())];
  }

  /** The agent sees by the keys as they are now whether anybody would be left behind. */
  async #leftBehind(
    { cluster, stage }: RotationRequest,
    { subject, link }: Ground,
    plan: Plan,
  ): Promise<ProblemReport[]> {
    const { state } = this.#parts.recorder;
    // Absent where a stage goes on: that was proven when it began.
    const proofs = proofsIn(plan.steps);
    if (proofs.length === 0) return [];
    if (link.drift === undefined)
      throw new Transient('LINK-007', 'The agent of the site cannot look so deep.');
    const steps = proofs.map(({ id, kind, version, input }) => ({ id, kind, version, input }));
    const looks = await link.drift({
      context: contextFor(
        state,
        subject,
        steps.map(({ input }) => input),
      ),
      steps,
    });
    const left = looks.filter((look) => look.state !== 'as-asked').flatMap(({ differences }) => differences);
    return left.length === 0 ? [] : [rotationProblems.leftBehind(cluster, stage, left)];
  }

  async #rotated(stage: RotationStage, { subject, keys, link }: Ground): Promise<DrawnKeys> {
    const { recorder, preparation } = this.#parts;
    const { state } = recorder;
    const { site } = subject.provider;
    if (link.reach === undefined) throw new Refusal('unavailable', [problems.cannotAsk(site, true)]);
    const { authority: source } = subject.desired;
    const isDrawing = stage === 'trust' && keys.public.rotation === undefined && source !== undefined;
    const drawn = await link.reach('cluster.rotate-keys', {
      context: contextFor(state, subject),
      stage,
      recipients: preparation.recipients(site),
      ...(isDrawing ? { authority: { source, context: authorityContext(state, subject, source) } } : {}),
    });
    const before = keys.public.rotation;
    const { rotation } = drawn.public;
    // By the daemon's clock, and from the first time on: people's certificates are counted from there.
    const since = before !== undefined && before.stage === rotation?.stage ? before.since : recorder.now();
    return {
      sealed: drawn.sealed,
      public: {
        ...drawn.public,
        ...(rotation === undefined ? {} : { rotation: { ...rotation, since } }),
        ...(source === undefined ? {} : { authority: digestOfAuthority(source) }),
      },
    };
  }
}
