import { reportOf } from '../../../provisioners/contract/problem.ts';
import type { BackupRemoval } from '../../state/backup-removals.ts';
import type { AgentLink } from '../link.ts';
import { subjectOf } from '../plan-record.ts';
import type { Planners } from '../planners.ts';
import type { Recorder } from '../recorder.ts';
import { Refusal } from '../requests.ts';
import type { Removal } from './removal.ts';

/** How soon it is looked whether a removal can go on, milliseconds: an agent is back some seconds after a start. */
const lookEvery = 5000;

/** How soon one is tried again that somebody or something was in the way of, and how late at most, milliseconds. */
const firstPause = 60_000;
const longestPause = 15 * 60_000;

/** What going on stands on. */
export interface UnfinishedRemovalParts {
  readonly recorder: Recorder;
  readonly planners: Planners;
  readonly links: (site: string) => AgentLink;
  readonly ids: () => string;
  readonly removal: Pick<Removal, 'goOn'>;
}

/** One that was tried in vain. */
interface Postponed {
  readonly tries: number;
  readonly until: number;
  /** Code of the problem that was told of. */
  readonly told: string;
}

/**
 * Goes on with removals of backups that were cut off, unasked, until each has come to its end. What it goes by stands in
 * the journal; only the pause after one that was tried in vain is forgotten. It looks as long as there is one.
 */
export class UnfinishedRemovals {
  readonly #parts: UnfinishedRemovalParts;
  readonly #postponed = new Map<string, Postponed>();
  #cancelLook: (() => void) | undefined;
  #isStopped = true;

  constructor(parts: UnfinishedRemovalParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#isStopped = false;
    this.wake();
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancelLook?.();
    this.#cancelLook = undefined;
  }

  /** Begins to look where it does not: a removal may have been cut off. */
  wake(): void {
    if (this.#isStopped || this.#cancelLook !== undefined) return;
    if (this.#parts.recorder.state.backupRemovals.unfinished().length === 0) return;
    this.#cancelLook = this.#parts.recorder.clock.after(lookEvery, () => {
      const again = (): void => {
        this.#cancelLook = undefined;
        this.wake();
      };
      this.#look().then(again, again);
    });
  }

  async #look(): Promise<void> {
    const { recorder } = this.#parts;
    for (const one of recorder.state.backupRemovals.unfinished()) {
      const isPaused = (this.#postponed.get(keyOf(one))?.until ?? 0) > recorder.clock.now();
      if (!this.#isStopped && !isPaused) await this.#goOn(one);
    }
  }

  /** Whether somebody is there to be asked: until then it is only looked again. */
  #hasAgent({ cluster }: BackupRemoval): boolean {
    const { recorder, planners, links } = this.#parts;
    return links(subjectOf(recorder.state, planners, cluster).provider.site).isConnected;
  }

  async #goOn(one: BackupRemoval): Promise<void> {
    try {
      if (!this.#hasAgent(one)) return;
      await this.#parts.removal.goOn(one);
      this.#postponed.delete(keyOf(one));
    } catch (error) {
      if (!this.#isStopped) await this.#postpone(one, error);
    }
  }

  /** It is tried again by and by; what is in the way is told once. */
  async #postpone(one: BackupRemoval, error: unknown): Promise<void> {
    const { recorder, ids } = this.#parts;
    const [found] = error instanceof Refusal ? error.problems : [];
    const { code, summary } = found ?? reportOf(error, ids());
    const before = this.#postponed.get(keyOf(one));
    const tries = (before?.tries ?? 0) + 1;
    const until = recorder.clock.now() + Math.min(firstPause * 2 ** (tries - 1), longestPause);
    this.#postponed.set(keyOf(one), { tries, until, told: code });
    if (before?.told === code) return;
    const cluster = recorder.state.clusters.get(one.cluster)?.name ?? '';
    await recorder.commit((note) =>
      note({
        type: 'backup.removal-postponed',
        cluster,
        data: { id: one.backup, problem: { code, summary } },
      }),
    );
  }
}

const keyOf = ({ cluster, backup }: BackupRemoval): string => `${cluster} ${backup}`;
