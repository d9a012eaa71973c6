import type { ApplyAnswer, PlanAnswer } from './answers.ts';
import type { Applying } from './applying.ts';
import { requireAgent } from './asking.ts';
import type { AgentLink } from './link.ts';
import { subjectOf } from './plan-record.ts';
import type { Planners } from './planners.ts';
import { asRefusal, lookAndKeep } from './preparation.ts';
import { problems } from './problems.ts';
import type { Recorder } from './recorder.ts';
import { type ApplyRequest, type MachineChangeRequest, Refusal } from './requests.ts';
import { digestOfRequest } from './review.ts';
import type { Turns } from './turns.ts';

/** What changing machines needs. */
export interface MachineChangeParts {
  readonly recorder: Recorder;
  readonly planners: Planners;
  readonly links: (site: string) => AgentLink;
  readonly applying: Applying;
  /** Requests about the same cluster go one after another. */
  readonly turns: Turns;
  /** @throws Refusal while there is no space for new work */
  readonly refuseWhenShort: () => void;
}

/** What the API asks of it. */
export type MachineDoors = Pick<MachineChanges, 'plan' | 'change'>;

/**
 * `machine add`, `remove` and `replace`: each is an apply of the kept document with other numbers, and with the names of
 * those who leave. So policies, reviews, confirmation and conflicts are those of every apply.
 */
export class MachineChanges {
  readonly #parts: MachineChangeParts;

  constructor(parts: MachineChangeParts) {
    this.#parts = parts;
  }

  /** What the change would do, from a fresh look. Starts nothing. */
  async plan(request: MachineChangeRequest): Promise<PlanAnswer> {
    const { turns, applying } = this.#parts;
    return turns.take([request.cluster], async () => applying.plan(await this.#asApply(request)));
  }

  async change(request: MachineChangeRequest): Promise<ApplyAnswer> {
    this.#parts.refuseWhenShort();
    return this.#parts.turns.take([request.cluster], () => this.#change(request));
  }

  async #change(request: MachineChangeRequest): Promise<ApplyAnswer> {
    const { applying } = this.#parts;
    const digest = digestOfRequest(request);
    const remembered = applying.remembered(request, digest);
    if (remembered !== undefined) return remembered;
    return applying.apply({ ...(await this.#asApply(request)), digest });
  }

  /** @throws Refusal when there is no such cluster or machine, or the agent cannot look */
  async #asApply(request: MachineChangeRequest): Promise<ApplyRequest> {
    const { cluster: name, principal, change, planHash, confirm, bypass, idempotencyKey } = request;
    const { recorder, planners, links } = this.#parts;
    const { state } = recorder;
    const record = state.clusters.find(name);
    if (record === undefined) throw new Refusal('not-found', [problems.notFound('cluster', name)]);
    const revision = state.revisions.newest(record.uid)?.number ?? 0;
    const subject = subjectOf(state, planners, record.uid);
    const link = links(subject.provider.site);
    requireAgent(state, link, subject.provider.site);
    const observed = await lookAndKeep(recorder, link, subject);
    try {
      const { text, retire } = planners.changeMachines(
        subject.desired,
        observed,
        change,
        state.revisions.documentsBefore(record.uid, revision),
      );
      return {
        text,
        file:
          change.kind === 'upgrade' || change.kind === 'back'
            ? `remuda ${change.kind}`
            : `remuda machine ${change.kind}`,
        principal,
        retire,
        // Somebody who changes the document meanwhile is not overwritten.
        ifRevision: revision,
        confirm: confirm === undefined ? [] : [confirm],
        ...(bypass === undefined ? {} : { bypass }),
        ...(planHash === undefined ? {} : { planHash }),
        ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
      };
    } catch (error) {
      throw asRefusal(error);
    }
  }
}
