import type { Observed } from '../../provisioners/contract/observed.ts';
import type { ProblemReport } from '../../provisioners/contract/problem.ts';
import { minorsBetween } from '../planning/stages.ts';
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

/** `machine fenced`. */
export interface FencedRequest {
  readonly cluster: string;
  readonly machine: string;
  readonly principal: string;
  /** The machine's name once more. */
  readonly confirm?: string;
}

const notUnfenced = (cluster: string, machine: string): ProblemReport => ({
  kind: 'user',
  code: 'OPS-018',
  summary: `nobody waits for a word on whether ${machine} of cluster ${cluster} is switched off`,
  remedy: `remuda describe cluster ${cluster} shows which machines are unfenced. One that is lost: remuda machine replace ${cluster} ${machine}`,
  value: machine,
});

const unconfirmed = (cluster: string, machine: string, why: string): ProblemReport => ({
  kind: 'user',
  code: 'OPS-019',
  summary: `${machine} may run still (${why}); if it does, and another comes in its place, both work with the same data`,
  remedy: `Switch it off for good, or cut it off from the network; then: remuda machine fenced ${cluster} ${machine} --confirm ${machine}`,
  value: machine,
});

/** An upgrade over several minors stops at what is on board, where nobody says at what. */
async function withStock(
  change: MachineChangeRequest['change'],
  observed: Observed,
  link: AgentLink,
): Promise<MachineChangeRequest['change']> {
  if (change.kind !== 'upgrade' || change.through !== undefined) return change;
  if (minorsBetween(change.version, observed).length === 0) return change;
  const payloads = await link.ask('listPayloads', {});
  return { ...change, onBoard: payloads.map(({ kubernetesVersion }) => kubernetesVersion) };
}

/** What the API asks of it. */
export type MachineDoors = Pick<MachineChanges, 'plan' | 'change' | 'stateFenced'>;

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

  /**
   * Somebody says that a machine that could not be fenced is switched off and stays so: what waits for that goes on. It
   * is left where it is from then on; nobody tries to destroy it.
   * @throws Refusal when it is not unfenced, was not confirmed by its name, or an operation is at it just now
   */
  async stateFenced(request: FencedRequest): Promise<void> {
    const { turns, recorder, refuseWhenShort } = this.#parts;
    refuseWhenShort();
    const { cluster: name, machine, principal: by, confirm } = request;
    await turns.take([name], async () => {
      const { state } = recorder;
      const record = state.clusters.find(name);
      if (record === undefined) throw new Refusal('not-found', [problems.notFound('cluster', name)]);
      const retirement = state.retirements.list(record.uid)[machine];
      if (retirement?.statedBy !== undefined) return;
      if (retirement?.unfenced === undefined) throw new Refusal('invalid', [notUnfenced(name, machine)]);
      const holder = state.operations.holder(record.uid);
      if (holder !== undefined)
        throw new Refusal('conflict', [problems.conflict(name, holder.id, `is at ${holder.kind}`)]);
      if (confirm !== machine)
        throw new Refusal('needs-confirmation', [unconfirmed(name, machine, retirement.unfenced.why)]);
      await recorder.commit((note, at) => {
        state.retirements.setStated(record.uid, machine, { by, at });
        note({ type: 'machine.fenced', cluster: name, data: { machine, by } });
      });
    });
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
        await withStock(change, observed, link),
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
