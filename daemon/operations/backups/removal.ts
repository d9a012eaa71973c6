import { type BackupDestination, backupWords } from '../../../provisioners/contract/backup.ts';
import type { ProblemReport } from '../../../provisioners/contract/problem.ts';
import type { BackupRemoval } from '../../state/backup-removals.ts';
import type { ClusterRecord } from '../../state/clusters.ts';
import type { AgentLink } from '../link.ts';
import { contextFor, type Subject } from '../observation.ts';
import { subjectOf } from '../plan-record.ts';
import type { Planners } from '../planners.ts';
import { asRefusal } from '../preparation.ts';
import { problems } from '../problems.ts';
import type { Recorder } from '../recorder.ts';
import { Refusal } from '../requests.ts';
import type { Turns } from '../turns.ts';
import { isResumable } from '../views.ts';
import { type LyingBackup, lookForBackups } from './listing.ts';
import { removalProblems } from './removal-problems.ts';

/** One backup that is to go, and on whose word. */
export interface RemovalRequest {
  /** Name of the cluster. */
  readonly cluster: string;
  /** As it is called at its destination. */
  readonly id: string;
  readonly principal: string;
  /** The backup's id once more. */
  readonly confirm?: string;
  /** Also when no other backup is left that could be restored. */
  readonly mayBeLast: boolean;
}

/** What removing needs. */
export interface RemovalParts {
  readonly recorder: Recorder;
  readonly planners: Planners;
  readonly links: (site: string) => AgentLink;
  /** A restore of the same cluster is not begun meanwhile. */
  readonly turns: Turns;
}

/**
 * Removes a backup by hand. That it was asked for is written down first, and its removal may be repeated: what was cut off
 * on the way is gone on with, by whoever asks again or by the daemon itself ({@link import('./unfinished-removals.ts')}).
 */
export class Removal {
  readonly #parts: RemovalParts;

  constructor(parts: RemovalParts) {
    this.#parts = parts;
  }

  /** @throws Refusal when it is not there, somebody needs it, or nobody agreed */
  async remove(request: RemovalRequest): Promise<void> {
    return this.#parts.turns.take([request.cluster], () => this.#remove(request));
  }

  async #remove(request: RemovalRequest): Promise<void> {
    const { recorder, planners } = this.#parts;
    const { state } = recorder;
    const { cluster, id, principal, confirm, mayBeLast } = request;
    const record = state.clusters.find(cluster);
    if (record === undefined) throw new Refusal('not-found', [problems.notFound('cluster', cluster)]);
    this.#requireUnused(record, id);
    if (confirm !== id) throw new Refusal('needs-confirmation', [removalProblems.notConfirmed(cluster, id)]);
    const subject = subjectOf(state, planners, record.uid);
    const destination = await this.#placeOf(request, subject);
    const asked = { cluster: record.uid, backup: id, destination, principal, mayBeLast };
    await recorder.commit((note, at) => {
      state.backupRemovals.ask(asked, at);
      const data = { id, place: backupWords(destination), principal };
      note({ type: 'backup.removing', cluster, data });
    });
    await this.#takeAway(asked, subject);
  }

  /**
   * Goes on with one that was asked for and has not come to its end; nothing when it has meanwhile.
   * @throws Refusal when it cannot be reached, somebody needs it, or it has become the last one
   */
  async goOn({ cluster: uid, backup }: Pick<BackupRemoval, 'cluster' | 'backup'>): Promise<void> {
    const { recorder, planners, turns } = this.#parts;
    const { state } = recorder;
    const record = state.clusters.get(uid);
    if (record === undefined || record.deletedAt !== undefined) return;
    await turns.take([record.name], async () => {
      const asked = state.backupRemovals
        .unfinished()
        .find((one) => one.cluster === uid && one.backup === backup);
      if (asked === undefined) return;
      this.#requireUnused(record, backup);
      const subject = subjectOf(state, planners, uid);
      const { name: cluster } = record;
      await this.#placeOf({ cluster, id: backup, mayBeLast: asked.mayBeLast }, subject);
      await this.#takeAway(asked, subject);
    });
  }

  async #takeAway(asked: BackupRemoval, subject: Subject): Promise<void> {
    const { recorder, links } = this.#parts;
    const { state } = recorder;
    const { backup: id, destination, principal } = asked;
    try {
      const context = contextFor(state, subject, { destination });
      await links(subject.provider.site).reach?.('backup.remove', { context, destination, id });
    } catch (error) {
      throw asRefusal(error);
    }
    await recorder.commit((note, at) => {
      state.backupRemovals.setDone(asked.cluster, id, at);
      note({ type: 'backup.removed', cluster: subject.cluster.name, data: { id, principal } });
    });
  }

  /** Where it lies, or lay when its removal was cut off. */
  async #placeOf(
    { cluster, id, mayBeLast }: Pick<RemovalRequest, 'cluster' | 'id' | 'mayBeLast'>,
    subject: Subject,
  ): Promise<BackupDestination> {
    const { state } = this.#parts.recorder;
    const site = subject.provider.site;
    const link = this.#parts.links(site);
    if (!link.isConnected || link.reach === undefined)
      throw new Refusal('unavailable', [problems.noAgent(site)]);
    const { lying, silent } = await lookForBackups(state, link, subject);
    const one = lying.find(({ view }) => view.id === id);
    if (one === undefined) {
      const begun = state.backupRemovals.destinationOf(subject.cluster.uid, id);
      if (begun !== undefined) return begun;
      throw new Refusal(silent.length === 0 ? 'not-found' : 'unavailable', [
        removalProblems.none(cluster, id, silent),
      ]);
    }
    if (!mayBeLast && isLastRestorable(one, lying))
      throw new Refusal('needs-confirmation', [removalProblems.last(cluster, id)]);
    return one.destination;
  }

  /** @throws Refusal while a restore, or the operation that took it, may still need it */
  #requireUnused({ uid, name }: ClusterRecord, id: string): void {
    const { state } = this.#parts.recorder;
    const work = [
      state.operations.holder(uid),
      state.operations.queued(uid),
      state.operations.newest(uid, ['restore']),
    ];
    for (const one of work) {
      if (one === undefined || one.state === 'succeeded') continue;
      const isOver = one.state === 'failed' || one.state === 'cancelled';
      if (isOver && !isResumable(state, one)) continue;
      const intent = state.plans.get(one.id, one.planNumber)?.plan.intent;
      const isSource =
        intent?.kind === 'restore' && intent.source.from === 'backup' && intent.source.id === id;
      if (isSource) throw inUse(removalProblems.restoredFrom(name, id, one.id));
      const isOwn = !isOver && state.backups.find(uid, id)?.operation === one.id;
      if (isOwn) throw inUse(removalProblems.atWork(name, id, one.id));
    }
  }
}

const inUse = (problem: ProblemReport): Refusal => new Refusal('conflict', [problem]);

/** Whether nothing that could be restored without a second thought would be left. */
function isLastRestorable(one: LyingBackup, lying: readonly LyingBackup[]): boolean {
  const isGood = ({ view }: LyingBackup): boolean => view.standing === 'good';
  return isGood(one) && !lying.some((other) => other !== one && isGood(other));
}
