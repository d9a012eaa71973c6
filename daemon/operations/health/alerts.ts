import type { Json, JsonObject } from '../../../provisioners/contract/json.ts';
import type { Duration, Instant } from '../../../provisioners/contract/time.ts';
import type { AlertRecord } from '../../state/alerts.ts';
import type { ClusterCondition } from '../../state/health.ts';
import type { Recorder } from '../recorder.ts';
import type { HealthDoors } from './health.ts';

/**
 * How long a condition must be bad, or unseen, before people are told, and how long it must be well again. What comes
 * and goes within this is in the history and wakes nobody (Prometheus' `for` and `keep_firing_for`).
 */
export const holds: Readonly<Record<'False' | 'Unknown' | 'True', Duration>> = {
  False: 2 * 60_000,
  Unknown: 5 * 60_000,
  True: 60_000,
};

/** What became of an alert. */
interface AlertChange {
  readonly alert: AlertRecord;
  readonly state: 'firing' | 'resolved';
}

/** What {@link Alerts} stands on. */
export interface AlertsParts {
  readonly recorder: Recorder;
  readonly health: Pick<HealthDoors, 'watched' | 'conditions'>;
  readonly ids: () => string;
  /** There is something new to tell. */
  readonly onNotice: () => void;
}

/**
 * Makes alerts of conditions that stay bad. Alerts of one cluster that come at the same moment are one notice. While an
 * agent is away its clusters are unknown for one reason: that alone is told.
 */
export class Alerts {
  readonly #parts: AlertsParts;
  /** Cluster and type → the alert that is not over. */
  readonly #firing = new Map<string, AlertRecord>();
  #isWriting = false;

  constructor(parts: AlertsParts) {
    this.#parts = parts;
  }

  /** Takes up what was firing when the last process ended. */
  open(): void {
    for (const alert of this.#parts.recorder.state.alerts.listFiring()) this.#firing.set(keyOf(alert), alert);
  }

  /** Looks at everything that is watched; called again and again. */
  consider(): void {
    if (this.#isWriting) return;
    const now = this.#parts.recorder.clock.now();
    const watched = this.#parts.health.watched();
    const changes = watched.flatMap(({ uid, name }) => this.#changesOf(uid, name, now));
    const uids = new Set(watched.map(({ uid }) => uid));
    // A cluster that is deleted, or on its way to be, is nobody's worry.
    for (const alert of this.#firing.values())
      if (!uids.has(alert.cluster)) changes.push({ alert, state: 'resolved' });
    if (changes.length === 0) return;
    void this.#writeAlone(changes);
  }

  /** One write at a time. What cannot be kept (a full disk) is found again at the next look. */
  async #writeAlone(changes: readonly AlertChange[]): Promise<void> {
    this.#isWriting = true;
    try {
      await this.#write(changes);
    } catch {
      // The journal says by itself that it is full.
    } finally {
      this.#isWriting = false;
    }
  }

  #changesOf(uid: string, name: string, now: number): AlertChange[] {
    const conditions = this.#parts.health.conditions(uid);
    const isAway = conditions.some(({ type, status }) => type === 'AgentConnected' && status === 'False');
    const isHeld = ({ status, lastTransitionTime }: ClusterCondition): boolean =>
      now - Date.parse(lastTransitionTime) >= holds[status];
    return conditions.flatMap((condition): AlertChange[] => {
      const { type, status } = condition;
      const firing = this.#firing.get(`${uid} ${type}`);
      if (firing !== undefined) {
        if (status === 'True') return isHeld(condition) ? [{ alert: firing, state: 'resolved' }] : [];
        // It got worse: those who are told of the worst alone have not heard of it yet.
        const isWorse = condition.severity === 'critical' && firing.condition.severity !== 'critical';
        return isWorse ? [{ alert: { ...firing, condition }, state: 'firing' }] : [];
      }
      // An agent of an earlier release tells nothing at all: that is no cluster's illness.
      const isUntold = condition.reason === 'NotLookedYet';
      if (status === 'True' || isUntold || !isHeld(condition)) return [];
      if (isAway && type !== 'AgentConnected') return [];
      const firedAt = new Date(now).toISOString();
      return [{ alert: { id: this.#parts.ids(), cluster: uid, name, condition, firedAt }, state: 'firing' }];
    });
  }

  /** Alerts and the notices of them are durable together: whoever comes back tells them, and nobody tells twice. */
  async #write(changes: readonly AlertChange[]): Promise<void> {
    const { recorder, ids, onNotice } = this.#parts;
    const { alerts } = recorder.state;
    const notices = [...Map.groupBy(changes, ({ alert }) => alert.cluster).values()].map((group) => ({
      id: ids(),
      group,
    }));
    await recorder.commit((note, at) => {
      for (const { alert, state } of changes) {
        if (state === 'firing') alerts.fire(alert);
        else alerts.resolve(alert.id, at);
        const { type, message } = alert.condition;
        note({
          type: `alert.${state}`,
          cluster: alert.name,
          data: { id: alert.id, condition: type, message },
        });
      }
      for (const { id, group } of notices) alerts.addNotice({ id, at, body: noticeOf(id, at, group) });
    });
    for (const { alert, state } of changes)
      if (state === 'firing') this.#firing.set(keyOf(alert), alert);
      else this.#firing.delete(keyOf(alert));
    onNotice();
  }
}

const keyOf = ({ cluster, condition }: AlertRecord): string => `${cluster} ${condition.type}`;

/** What a receiver reads: one cluster, and what changed of it. */
function noticeOf(id: string, at: Instant, group: readonly AlertChange[]): JsonObject {
  const alerts = group.map(({ alert, state }): Json => {
    const { type, status, severity, reason, message, remedy, machine, lastTransitionTime } = alert.condition;
    return {
      id: alert.id,
      state,
      condition: type,
      status,
      severity: severity ?? 'warning',
      reason,
      message,
      since: lastTransitionTime,
      firedAt: alert.firedAt,
      ...(state === 'resolved' ? { resolvedAt: at } : {}),
      ...(remedy === undefined ? {} : { remedy }),
      ...(machine === undefined ? {} : { machine }),
    };
  });
  return { id, at, cluster: group[0]?.alert.name ?? '', alerts };
}
