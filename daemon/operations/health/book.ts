import type { HealthReport, ServingDenial } from '../../../appliance/agent/protocol/watch.ts';
import type { HealthCondition } from '../../../provisioners/contract/health.ts';
import type { Instant } from '../../../provisioners/contract/time.ts';
import type { ClusterCondition, ClusterHealthRecord } from '../../state/health.ts';
import type { Note, Recorder } from '../recorder.ts';

/** What is kept of the clusters' health: in the journal, and in memory for those who ask every few seconds. */
export class HealthBook {
  readonly #recorder: Recorder;
  readonly #records = new Map<string, ClusterHealthRecord>();
  /** Denials that were told, by cluster and request: an agent may tell one again. */
  readonly #denials = new Set<string>();

  constructor(recorder: Recorder) {
    this.#recorder = recorder;
  }

  /** Reads what earlier processes kept. */
  open(): void {
    for (const [uid, record] of this.#recorder.state.health.list()) this.#records.set(uid, record);
  }

  get(uid: string): ClusterHealthRecord | undefined {
    return this.#records.get(uid);
  }

  condition(uid: string, type: ClusterCondition['type']): ClusterCondition | undefined {
    return this.#records.get(uid)?.conditions.find((condition) => condition.type === type);
  }

  /** Keeps what an agent tells. Resolves when it is durable; what is known already is not written again. */
  async take({ cluster: uid, at: seenAt, conditions, numbers, denied = [] }: HealthReport): Promise<void> {
    await this.#takeDenials(uid, denied);
    const now = this.#recorder.now();
    const told = conditions.map(({ since, ...condition }): ClusterCondition => {
      const before = this.condition(uid, condition.type);
      const isSame = before?.status === condition.status;
      return { ...condition, lastTransitionTime: isSame ? before.lastTransitionTime : earlier(since, now) };
    });
    const changed = told.filter(
      (condition) => JSON.stringify(this.condition(uid, condition.type)) !== JSON.stringify(condition),
    );
    const isNew = JSON.stringify(this.#records.get(uid)?.numbers) !== JSON.stringify(numbers);
    if (changed.length === 0 && !isNew) return;
    const { state } = this.#recorder;
    await this.#recorder.commit((note, at) => {
      state.health.put(uid, changed, { numbers, at: seenAt });
      for (const condition of changed) this.#noteTransition(note, uid, at, condition);
    });
    this.#remember(uid, changed, { numbers, seenAt });
  }

  /** One event for each request of a kubelet that was denied. */
  async #takeDenials(uid: string, denied: readonly ServingDenial[]): Promise<void> {
    const fresh = denied.filter(({ request }) => !this.#denials.has(`${uid}/${request}`));
    if (fresh.length === 0) return;
    const cluster = this.#recorder.state.clusters.nameOf(uid);
    await this.#recorder.commit((note) => {
      for (const { request, username, why } of fresh)
        note({
          type: 'kubelet-serving.denied',
          ...(cluster === undefined ? {} : { cluster }),
          data: { request, username, why },
        });
    });
    for (const { request } of fresh) this.#denials.add(`${uid}/${request}`);
  }

  /** Keeps one condition of many clusters. Resolves when it is durable. */
  async keep(uids: readonly string[], condition: ClusterCondition): Promise<void> {
    await this.#recorder.commit((note, at) => {
      for (const uid of uids) {
        this.#recorder.state.health.put(uid, [condition]);
        this.#noteTransition(note, uid, at, condition);
      }
    });
    for (const uid of uids) this.#remember(uid, [condition]);
  }

  #remember(
    uid: string,
    conditions: readonly ClusterCondition[],
    told?: Pick<ClusterHealthRecord, 'numbers'> & { readonly seenAt: Instant },
  ): void {
    const before = this.#records.get(uid);
    const types = new Set(conditions.map(({ type }) => type));
    this.#records.set(uid, {
      cluster: uid,
      numbers: {},
      ...before,
      ...told,
      conditions: [...(before?.conditions ?? []).filter(({ type }) => !types.has(type)), ...conditions],
    });
  }

  /** History and event of a change of state; other words for the same state are none. */
  #noteTransition(note: Note, uid: string, at: Instant, condition: ClusterCondition): void {
    const from: HealthCondition['status'] | undefined = this.condition(uid, condition.type)?.status;
    if (from === condition.status) return;
    const { state } = this.#recorder;
    const before = from === undefined ? {} : { from };
    state.health.addTransition(uid, { at, condition, ...before });
    const cluster = state.clusters.nameOf(uid);
    const { type, status, reason, message } = condition;
    note({
      type: 'cluster.health',
      ...(cluster === undefined ? {} : { cluster }),
      data: { condition: type, status, reason, message, ...before },
    });
  }
}

/** Clocks differ: nothing has happened in the future. */
const earlier = (one: Instant, other: Instant): Instant =>
  Date.parse(one) < Date.parse(other) ? one : other;
