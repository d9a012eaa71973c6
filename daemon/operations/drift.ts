import type { DriftLook } from '../../appliance/agent/protocol/questions.ts';
import type { DriftItem, DriftRemedy, ObservedDrift } from '../../provisioners/contract/observed.ts';
import type { PlannedStep } from '../../provisioners/contract/plan.ts';
import { Transient } from '../../provisioners/contract/problem.ts';
import type { Instant } from '../../provisioners/contract/time.ts';
import { requireAgent } from './asking.ts';
import type { AgentLink } from './link.ts';
import { contextFor, driftNow, type Subject } from './observation.ts';
import { subjectOf } from './plan-record.ts';
import type { Planners } from './planners.ts';
import { revisionOf } from './planning.ts';
import { asRefusal, lookAndKeep } from './preparation.ts';
import { problems } from './problems.ts';
import type { Recorder } from './recorder.ts';
import { Refusal } from './requests.ts';

/** What looking for drift needs. */
export interface DriftParts {
  readonly recorder: Recorder;
  readonly planners: Planners;
  readonly links: (site: string) => AgentLink;
}

/** What of a cluster is not as its document asks. */
export interface DriftAnswer extends ObservedDrift {
  readonly cluster: string;
  /** Machines at which nothing could be looked, because they are gone or were never met. */
  readonly unmet: readonly string[];
}

/** Steps in one question: each question has the same time, and a thousand machines have thousands of steps. */
const batch = 150;

/**
 * The deep look (DESIGN §1.3): observes every step that leads from nothing to the present document, and keeps what it
 * found as part of what is known of the cluster. Changes nothing on any machine.
 */
export class Drift {
  readonly #parts: DriftParts;

  constructor(parts: DriftParts) {
    this.#parts = parts;
  }

  /** What the last look found, undefined when nobody has looked since something was done. @throws Refusal `not-found` */
  last(name: string): ObservedDrift | undefined {
    return driftNow(this.#parts.recorder.state, this.#uidOf(name));
  }

  /** Looks now. @throws Refusal when the agent is away, or too much of the cluster cannot be seen to know where to look */
  async look(name: string): Promise<DriftAnswer> {
    const { recorder, planners, links } = this.#parts;
    const { state } = recorder;
    const uid = this.#uidOf(name);
    const subject = subjectOf(state, planners, uid);
    const link = links(subject.provider.site);
    requireAgent(state, link, subject.provider.site);
    const observed = await lookAndKeep(recorder, link, subject);
    const keys = state.clusters.get(uid)?.keys.public;
    if (keys === undefined) throw new Refusal('not-found', [problems.notFound('cluster', name)]);
    try {
      const { steps, unmet } = planners.planDrift({
        desired: subject.desired,
        provider: subject.provider,
        observed,
        keys,
        revision: revisionOf(subject),
        bypass: [],
        hasReceipt: (kind) => state.attempts.hasReceipt(uid, kind),
        hasBegun: (kind) => state.attempts.hasBegun(uid, kind),
        unfinished: (kind) => state.attempts.unfinished(uid, kind),
      });
      const looks = await this.#ask(link, subject, steps);
      const drift = this.#kept(uid, steps, looks);
      await recorder.commit((note) => {
        state.health.putDrift(uid, drift);
        const different = drift.items.filter((item) => item.state === 'different').length;
        note({ type: 'cluster.drift', cluster: name, data: { checked: drift.checked, different } });
      });
      return { cluster: name, ...drift, unmet };
    } catch (error) {
      throw asRefusal(error);
    }
  }

  #uidOf(name: string): string {
    const uid = this.#parts.recorder.state.clusters.find(name)?.uid;
    if (uid === undefined) throw new Refusal('not-found', [problems.notFound('cluster', name)]);
    return uid;
  }

  async #ask(
    link: AgentLink,
    subject: Subject,
    steps: readonly PlannedStep[],
  ): Promise<readonly DriftLook[]> {
    if (link.drift === undefined)
      throw new Transient('LINK-007', 'The agent of the site cannot look for drift.');
    const found: DriftLook[] = [];
    for (let at = 0; at < steps.length; at += batch) {
      const asked = steps.slice(at, at + batch);
      const inputs = asked.map(({ input }) => input);
      const context = contextFor(this.#parts.recorder.state, subject, inputs);
      const looks = asked.map(({ id, kind, version, input }) => ({ id, kind, version, input }));
      found.push(...(await link.drift({ context, steps: looks })));
    }
    return found;
  }

  /** What is not as asked, each with the moment when it was seen so first. */
  #kept(
    uid: string,
    steps: readonly (PlannedStep & { readonly remedy: DriftRemedy })[],
    looks: readonly DriftLook[],
  ): ObservedDrift {
    const at: Instant = this.#parts.recorder.now();
    const before = new Map(
      driftNow(this.#parts.recorder.state, uid)?.items.map((item) => [item.step, item]) ?? [],
    );
    const byId = new Map(looks.map((look) => [look.step, look]));
    const items = steps.flatMap(({ id: step, kind, subject, title, remedy }): DriftItem[] => {
      const look = byId.get(step);
      const { state, differences } = look ?? { state: 'unknown', differences: ['Nobody looked.'] };
      if (state === 'as-asked') return [];
      const known = before.get(step);
      const since = known?.state === state ? known.since : at;
      return [{ step, kind, subject, title, state, differences, since, remedy }];
    });
    return { at, checked: steps.length, items };
  }
}

/** What the API asks of it. */
export type DriftDoors = Pick<Drift, 'last' | 'look'>;
