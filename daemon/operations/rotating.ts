import type { Plan } from '../../provisioners/contract/plan.ts';
import { Transient } from '../../provisioners/contract/problem.ts';
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

  /** What it would do, from a fresh look. Starts nothing, draws nothing. */
  plan(request: RotationRequest): Promise<PlanAnswer> {
    return this.#parts.dayTwo.plan(this.#asked(request));
  }

  /** Begins it. @throws Refusal CERT-013 or CERT-014 while somebody would be left behind */
  start(request: RotationRequest): Promise<IntentAnswer> {
    return this.#parts.dayTwo.start(this.#asked(request), async (subject, plan) => {
      const { state } = this.#parts.recorder;
      const link = this.#parts.links(subject.provider.site);
      requireAgent(state, link, subject.provider.site);
      try {
        const { keys } = state.clusters.get(subject.cluster.uid) ?? {};
        if (keys === undefined)
          throw new Refusal('not-found', [problems.notFound('cluster', request.cluster)]);
        if (request.stage === 'drop') this.#requireOver(request, subject, keys);
        await this.#requireProof(request, { subject, plan, link });
        return await this.#rotated(request.stage, { subject, keys, link });
      } catch (error) {
        throw asRefusal(error);
      }
    });
  }

  #asked({ stage, endsCredentials: _consent, ...request }: RotationRequest) {
    return { ...request, intent: { kind: 'rotate' as const, stage } };
  }

  /** Certificates that people were given under the old authority have run out. */
  #requireOver(
    { endsCredentials, cluster }: RotationRequest,
    { cluster: { uid } }: Subject,
    keys: DrawnKeys,
  ): void {
    const { recorder } = this.#parts;
    const { rotation } = keys.public;
    if (endsCredentials === true || rotation === undefined) return;
    const switched = Date.parse(rotation.since);
    const ends = recorder.state.credentials.list(uid).map(({ validUntil = '' }) => Date.parse(validUntil));
    const until = Math.min(
      switched + longestCredential,
      Math.max(0, ...ends.filter((end) => end > switched)),
    );
    if (until > recorder.clock.now())
      throw new Refusal('conflict', [
        rotationProblems.credentialsLeft(cluster, new Date(until).toISOString()),
      ]);
  }

  /** The agent sees by the keys as they are now that nobody would be left behind. */
  async #requireProof(
    { cluster, stage }: RotationRequest,
    { subject, plan, link }: { readonly subject: Subject; readonly plan: Plan; readonly link: AgentLink },
  ): Promise<void> {
    const { state } = this.#parts.recorder;
    // Absent where a stage goes on: that was proven when it began.
    const proofs = proofsIn(plan.steps);
    if (proofs.length === 0) return;
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
    if (left.length > 0) throw new Refusal('conflict', [rotationProblems.leftBehind(cluster, stage, left)]);
  }

  async #rotated(
    stage: RotationStage,
    {
      subject,
      keys,
      link,
    }: { readonly subject: Subject; readonly keys: DrawnKeys; readonly link: AgentLink },
  ): Promise<DrawnKeys> {
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
