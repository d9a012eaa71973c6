import type { Clock } from '../state/clock.ts';
import type { ClusterRecord } from '../state/clusters.ts';
import type { OperationLogs } from '../state/logs.ts';
import type { State } from '../state/state.ts';
import type {
  ClusterDetail,
  ClusterView,
  EngineEvent,
  LogPage,
  OperationDetail,
  OperationView,
  ProviderView,
} from './answers.ts';
import type { Planners } from './planners.ts';
import { problems } from './problems.ts';
import { type EventFilter, type OperationFilter, Refusal } from './requests.ts';
import {
  viewCluster,
  viewClusterDetail,
  viewOperation,
  viewOperationDetail,
  viewProviders,
} from './views.ts';

/** How many events or lines one question answers unless it says otherwise. */
const pageSize = 1000;

/** Answers questions from what is kept; changes and asks nothing. Throws {@link Refusal} `not-found` for unknown names. */
export class Reading {
  readonly #state: State;
  readonly #clock: Clock;
  readonly #logs: OperationLogs;
  readonly #print: Planners['printCluster'];

  constructor(
    state: State,
    clock: Clock,
    logs: OperationLogs,
    { printCluster }: Pick<Planners, 'printCluster'>,
  ) {
    this.#print = printCluster;
    this.#state = state;
    this.#clock = clock;
    this.#logs = logs;
  }

  operations(filter: OperationFilter): readonly OperationView[] {
    const { clusters, operations } = this.#state;
    const uid =
      filter.cluster === undefined ? undefined : (clusters.find(filter.cluster)?.uid ?? filter.cluster);
    const records = operations.list(uid, filter.limit ?? pageSize, filter.before);
    return records.map((record) => viewOperation(this.#state, record, this.#clock.now()));
  }

  operation(id: string): OperationDetail {
    const record = this.#state.operations.get(id);
    if (record === undefined) throw new Refusal('not-found', [problems.notFound('operation', id)]);
    return viewOperationDetail(this.#state, record, this.#clock.now());
  }

  clusters(): readonly ClusterView[] {
    return this.#state.clusters.list().map((record) => viewCluster(this.#state, record, this.#clock.now()));
  }

  cluster(name: string): ClusterDetail {
    return viewClusterDetail(this.#state, this.record(name), this.#clock.now(), this.#print);
  }

  /** The record of a living cluster. */
  record(name: string): ClusterRecord {
    const record = this.#state.clusters.find(name);
    if (record === undefined) throw new Refusal('not-found', [problems.notFound('cluster', name)]);
    return record;
  }

  providers(): readonly ProviderView[] {
    return viewProviders(this.#state);
  }

  provider(name: string): ProviderView {
    const found = this.providers().find((provider) => provider.name === name);
    if (found === undefined) throw new Refusal('not-found', [problems.notFound('provider', name)]);
    return found;
  }

  events(after: number, filter: EventFilter): readonly EngineEvent[] {
    return this.#state.events.list(after, { ...filter, limit: filter.limit ?? pageSize });
  }

  eventsBack(before: number, filter: EventFilter): readonly EngineEvent[] {
    return this.#state.events.listBack(before, { ...filter, limit: filter.limit ?? pageSize });
  }

  async logLines(operation: string, after: number, limit: number = pageSize): Promise<LogPage> {
    if (this.#state.operations.get(operation) === undefined)
      throw new Refusal('not-found', [problems.notFound('operation', operation)]);
    return this.#logs.read(operation, after, limit);
  }

  acknowledgedSequence(site: string, epoch: number): number {
    const agent = this.#state.agents.get(site);
    return agent?.epoch === epoch ? agent.acknowledged : 0;
  }

  /** The site that is meant when none is named. @throws Refusal when there is none */
  onlySite(): string {
    const [agent] = this.#state.agents.list();
    if (agent === undefined) throw new Refusal('unavailable', [problems.noRecipient()]);
    return agent.site;
  }
}
