import type { Instant } from '../../../provisioners/contract/time.ts';
import type { AgentLink } from '../link.ts';
import { subjectOf } from '../plan-record.ts';
import { problems } from '../problems.ts';
import type { Turns } from '../turns.ts';
import { Refusal } from '../requests.ts';
import { type BackupListing, listBackups } from './listing.ts';
import { OverdueBackups } from './overdue.ts';
import { Removal, type RemovalRequest } from './removal.ts';
import { Schedule, type ScheduleParts } from './schedule.ts';
import { UnfinishedRemovals } from './unfinished-removals.ts';

/** What the API asks about backups. They are made like everything that is wanted once: by an operation. */
export interface BackupDoors {
  /** What lies where backups go, beside what the journal knows of it. @throws Refusal of reason `not-found` */
  list(cluster: string): Promise<BackupListing>;
  /** Removes one by hand. @throws Refusal when it is not there, somebody needs it, or nobody agreed */
  remove(request: RemovalRequest): Promise<void>;
  /** When the newest backup of each cluster was finished; clusters without one are left out. */
  lastSuccesses(): readonly { readonly cluster: string; readonly at: Instant }[];
}

/** Backups: what is there of them, and the schedule. */
export class BackupRoom {
  readonly doors: BackupDoors;
  readonly overdue: OverdueBackups;
  readonly #schedule: Schedule;
  readonly #unfinished: UnfinishedRemovals;

  constructor(parts: ScheduleParts & { readonly links: (site: string) => AgentLink; readonly turns: Turns }) {
    const { recorder, planners, links } = parts;
    const { state } = recorder;
    const schedule = new Schedule(parts);
    this.#schedule = schedule;
    this.overdue = new OverdueBackups({ recorder, askedOf: (uid) => schedule.scheduleOf(uid) });
    const removal = new Removal(parts);
    const unfinished = new UnfinishedRemovals({ ...parts, removal });
    this.#unfinished = unfinished;
    this.doors = {
      remove: (request) => removal.remove(request).finally(() => unfinished.wake()),
      async list(name) {
        const record = state.clusters.find(name);
        if (record === undefined) throw new Refusal('not-found', [problems.notFound('cluster', name)]);
        const subject = subjectOf(state, planners, record.uid);
        const lastSuccessAt = state.backups.lastSuccess(record.uid);
        const dueAt = schedule.dueAt(record);
        return {
          cluster: name,
          ...(await listBackups(state, links(subject.provider.site), subject)),
          ...(lastSuccessAt === undefined ? {} : { lastSuccessAt }),
          ...(dueAt === undefined ? {} : { nextAt: new Date(dueAt).toISOString() }),
        };
      },
      lastSuccesses: () =>
        state.clusters.list().flatMap(({ uid, name }) => {
          const at = state.backups.lastSuccess(uid);
          return at === undefined ? [] : [{ cluster: name, at }];
        }),
    };
  }

  start(): void {
    this.#schedule.start();
    this.#unfinished.start();
  }

  stop(): void {
    this.#schedule.stop();
    this.#unfinished.stop();
  }
}
