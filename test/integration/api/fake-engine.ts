import type { ProblemReport } from '../../../provisioners/contract/problem.ts';
import type { EngineDoors } from '../../../daemon/api/route.ts';
import { newCounters } from '../../../daemon/operations/counters.ts';
import type { LiveItem } from '../../../daemon/operations/recorder.ts';
import { Refusal, type RefusalReason } from '../../../daemon/operations/requests.ts';
import type {
  ClusterDetail,
  EngineEvent,
  OperationDetail,
  PlanAnswer,
  PreflightAnswer,
  StepView,
} from '../../../daemon/operations/answers.ts';

const began = '2026-11-21T05:00:00.000Z';

/** A step as the fake shows it. */
export function fakeStep(id: string, changes: Partial<StepView> = {}): StepView {
  const [kind = id, subject = 'cluster'] = id.split('/');
  return {
    id,
    kind,
    title: `${kind} on ${subject}`,
    phase: 'machines',
    subject,
    after: [],
    destructive: false,
    state: 'planned',
    attempt: 0,
    ...changes,
  };
}

/** An operation as the fake shows it. */
export function fakeOperation(changes: Partial<OperationDetail> = {}): OperationDetail {
  const stepList = changes.stepList ?? [];
  const count = (state: StepView['state']): number => stepList.filter((step) => step.state === state).length;
  return {
    id: 'op-1',
    cluster: { uid: 'u-1', name: 'demo' },
    kind: 'create',
    state: 'running',
    isResumable: false,
    principal: 'token:admin',
    revision: 1,
    planNumber: 1,
    planHash: 'sha256:0123456789abcdef',
    bypass: [],
    createdAt: began,
    startedAt: began,
    duration: 1000,
    steps: {
      total: stepList.length,
      ended: count('succeeded'),
      running: count('running'),
      failed: count('failed'),
    },
    plan: {
      kind: 'create',
      cluster: { uid: 'u-1', name: 'demo' },
      premises: { revision: '1', observedAt: began, machines: {}, versions: {} },
      steps: [],
      destroys: [],
      notices: [],
      changes: [],
    },
    stepList,
    ...changes,
  };
}

/** A refusal of the engine. */
export function fakeRefusal(reason: RefusalReason, changes: Partial<ProblemReport> = {}): Refusal {
  return new Refusal(reason, [
    { kind: 'user', code: 'FAKE-001', summary: `refused: ${reason}`, remedy: 'mend it', ...changes },
  ]);
}

const nothing = (name: string): never => {
  throw fakeRefusal('not-found', { summary: `there is no "${name}"` });
};

/** Nobody is looked after. */
const fakeHealth: EngineDoors['clusterHealth'] = {
  get: nothing,
  summary: () => undefined,
  history: nothing,
  watched: () => [],
  conditions: () => [],
  numbers: () => ({}),
  shownWith: (view) => view,
  alerts: () => [],
  firing: () => 0,
  receivers: { list: () => [], set: nothing, remove: () => false, test: async () => undefined },
};

/**
 * A fake of the engine, named as one: it holds what a test puts in, keeps what it was asked, and refuses on demand. It
 * stands behind the real HTTPS server, so that the door is tested with every answer that an engine can give.
 */
export class FakeEngine implements EngineDoors {
  readonly counters = newCounters();
  readonly asked: { readonly name: string; readonly request: unknown }[] = [];
  readonly credentials: EngineDoors['credentials'] = {
    issue: (request) => this.issueCredential(request),
    issueToken: async (request) => {
      this.#take('issueToken', request);
      const expiresAt = new Date(Date.now() + request.seconds * 1000).toISOString();
      return { token: 'token-of-the-cluster', expiresAt, server: 'https://10.77.0.100:6443' };
    },
    revokeToken: async (cluster, id) => this.#take('revokeToken', { cluster, id }),
  };
  readonly machines: EngineDoors['machines'] = {
    plan: async (request) => {
      this.#take('planMachines', request);
      return this.planAnswer;
    },
    change: async (request) => {
      this.#take('changeMachines', request);
      return { operations: this.applyOperations, unchanged: [], stored: [] };
    },
    stateFenced: async (request) => this.#take('stateFenced', request),
  };
  readonly clusterHealth = fakeHealth;
  certificateList: ReturnType<EngineDoors['certificates']['list']> | undefined;
  readonly certificates: EngineDoors['certificates'] = {
    list: (cluster) => this.certificateList ?? nothing(cluster),
    shownWith: (view) => view,
    ends: () => [],
  };
  backupList: Awaited<ReturnType<EngineDoors['backups']['list']>> = {
    cluster: 'demo',
    backups: [],
    places: [],
  };
  readonly backups: EngineDoors['backups'] = {
    list: async (cluster) => {
      this.#take('listBackups', { cluster });
      return this.backupList;
    },
    remove: async (request) => this.#take('removeBackup', request),
    lastSuccesses: () => [],
  };
  readonly drift: EngineDoors['drift'] = { last: nothing, look: async (name) => nothing(name) };
  readonly restoring: EngineDoors['restoring'] = {
    plan: async (request) => {
      this.#take('planRestore', request);
      return { ...this.planAnswer, loss: [] };
    },
    start: async (request) => {
      this.#take('startRestore', request);
      const [operation] = this.applyOperations;
      return operation === undefined ? {} : { operation };
    },
  };
  readonly rotating: EngineDoors['rotating'] = {
    plan: async (request) => {
      this.#take('planRotation', request);
      return this.planAnswer;
    },
    start: async (request) => {
      this.#take('startRotation', request);
      const [operation] = this.applyOperations;
      return operation === undefined ? {} : { operation };
    },
  };
  handOver: EngineDoors['ejecting']['handOver'] = async ({ cluster }) => nothing(cluster);
  readonly ejecting: EngineDoors['ejecting'] = {
    handOver: async (request) => {
      this.#take('handOver', request);
      return this.handOver(request);
    },
    plan: async (request) => {
      this.#take('planEject', request);
      return this.planAnswer;
    },
    start: async (request) => {
      this.#take('startEject', request);
      const [operation] = this.applyOperations;
      return operation === undefined ? {} : { operation };
    },
  };
  readonly importing: EngineDoors['importing'] = {
    plan: async (request) => {
      this.#take('planImport', request);
      return this.planAnswer;
    },
    start: async (request) => {
      this.#take('startImport', request);
      const [operation] = this.applyOperations;
      return operation === undefined ? {} : { operation };
    },
  };
  strays: Awaited<ReturnType<EngineDoors['sweeping']['list']>> = { strays: [], unseen: [] };
  readonly sweeping: EngineDoors['sweeping'] = {
    list: async (provider) => {
      this.#take('listStrays', provider);
      return this.strays;
    },
    plan: async (request) => {
      this.#take('planSweep', request);
      return this.planAnswer;
    },
    start: async (request) => {
      this.#take('startSweep', request);
      const [operation] = this.applyOperations;
      return operation === undefined ? {} : { operation };
    },
  };
  readonly dayTwo: EngineDoors['dayTwo'] = {
    plan: async (request) => {
      this.#take('planIntent', request);
      return this.planAnswer;
    },
    start: async (request) => {
      this.#take('startIntent', request);
      const [operation] = this.applyOperations;
      return operation === undefined ? {} : { operation };
    },
  };
  readonly policies: EngineDoors['policies'] = {
    list: () => [],
    remove: async (name) => nothing(name),
    test: () => [],
  };
  readonly resealing: EngineDoors['resealing'] = {
    list: nothing,
    put: async () => ({ resealed: 0, changedSince: [] }),
  };
  readonly operations = new Map<string, OperationDetail>();
  readonly clusters = new Map<string, ClusterDetail>();
  readonly happened: EngineEvent[] = [];
  readonly lines: { number: number; at: string; step: string; text: string }[] = [];
  planAnswer: PlanAnswer = { problems: [], plans: [], hash: 'sha256:none', needsConfirmation: [] };
  preflightAnswer: PreflightAnswer = { problems: [], clusters: [], isPassed: true };
  applyOperations: OperationDetail[] = [];
  /** Thrown by the next call that changes or plans something. */
  refusal: Error | undefined;
  isReady = true;
  /** Of every cluster. */
  authority = 'CA';
  readonly #listeners = new Set<(item: LiveItem) => void>();

  /** Adds an event and tells everybody. */
  happen(type: string, about: Pick<EngineEvent, 'cluster' | 'operation' | 'step'> = {}): void {
    const event = {
      number: this.happened.length + 1,
      at: new Date().toISOString(),
      type,
      data: {},
      ...about,
    };
    this.happened.push(event);
    for (const listener of this.#listeners) listener({ type: 'event', event });
  }

  /** Replaces an operation and tells everybody. */
  put(operation: OperationDetail): void {
    this.operations.set(operation.id, operation);
    this.happen('operation.changed', { operation: operation.id, cluster: operation.cluster.name });
  }

  /** Adds a log line of `op-1`. */
  say(text: string): void {
    const line = { number: this.lines.length + 1, at: began, step: 'machine.create/m1', machine: 'm1', text };
    this.lines.push(line);
    for (const listener of this.#listeners)
      listener({ type: 'log', operation: 'op-1', cluster: 'demo', line });
  }

  async start(): Promise<void> {}
  async stop(): Promise<void> {}
  health(): { isReady: boolean } {
    return { isReady: this.isReady };
  }
  validate(): { problems: readonly ProblemReport[] } {
    return { problems: this.planAnswer.problems };
  }
  async plan(request: unknown): Promise<PlanAnswer> {
    this.#take('plan', request);
    return this.planAnswer;
  }
  async preflight(request: unknown): Promise<PreflightAnswer> {
    this.#take('preflight', request);
    return this.preflightAnswer;
  }
  async apply(request: unknown): ReturnType<EngineDoors['apply']> {
    this.#take('apply', request);
    const [first] = this.applyOperations;
    return {
      operations: this.applyOperations,
      unchanged: first ? [] : ['demo'],
      stored: ['Provider/lab', 'Cluster/demo'],
    };
  }
  async planDelete(request: unknown): Promise<PlanAnswer> {
    this.#take('planDelete', request);
    return this.planAnswer;
  }
  async deleteCluster(request: unknown): ReturnType<EngineDoors['deleteCluster']> {
    this.#take('deleteCluster', request);
    return this.applyOperations[0] ?? nothing('demo');
  }
  listOperations(filter: Parameters<EngineDoors['listOperations']>[0] = {}): readonly OperationDetail[] {
    const { cluster, limit, before } = filter;
    const all = [...this.operations.values()];
    return all
      .slice(before === undefined ? 0 : all.findIndex(({ id }) => id === before) + 1)
      .filter((one) => cluster === undefined || one.cluster.name === cluster)
      .slice(0, limit);
  }
  getOperation(id: string): OperationDetail {
    return this.operations.get(id) ?? nothing(id);
  }
  async resumeOperation(id: string): Promise<OperationDetail> {
    this.#take('resumeOperation', id);
    return this.getOperation(id);
  }
  async cancelOperation(id: string): Promise<OperationDetail> {
    this.#take('cancelOperation', id);
    return this.getOperation(id);
  }
  async approveOperation(id: string, request: unknown): Promise<OperationDetail> {
    this.#take('approveOperation', request);
    return this.getOperation(id);
  }
  async overrideWindow(id: string, request: unknown): Promise<OperationDetail> {
    this.#take('overrideWindow', request);
    return this.getOperation(id);
  }
  listClusters(): readonly ClusterDetail[] {
    return [...this.clusters.values()];
  }
  getCluster(name: string): ClusterDetail {
    return this.clusters.get(name) ?? nothing(name);
  }
  async observe(name: string): ReturnType<EngineDoors['observe']> {
    this.#take('observe', name);
    return this.getCluster(name).observed ?? nothing(name);
  }
  listProviders(): ReturnType<EngineDoors['listProviders']> {
    return [];
  }
  getProvider(name: string): ReturnType<EngineDoors['getProvider']> {
    return nothing(name);
  }
  async setSecret(request: Parameters<EngineDoors['setSecret']>[0]): ReturnType<EngineDoors['setSecret']> {
    this.#take('setSecret', { name: request.name });
    return {
      name: request.name,
      keys: Object.keys(request.data),
      principal: request.principal,
      updatedAt: began,
    };
  }
  listSecrets(): ReturnType<EngineDoors['listSecrets']> {
    return [];
  }
  async removeSecret(name: string): Promise<void> {
    this.#take('removeSecret', name);
  }
  async issueCredential(request: unknown): ReturnType<EngineDoors['issueCredential']> {
    this.#take('issueCredential', request);
    return {
      certificate: 'CERTIFICATE',
      notAfter: new Date(Date.now() + 3_600_000).toISOString(),
      caCertificate: this.authority,
      server: 'https://10.77.0.100:6443',
    };
  }
  listAgents(): ReturnType<EngineDoors['listAgents']> {
    return [{ site: 'local', state: 'connected', epoch: 1 }];
  }
  async createEnrolmentToken(request: {
    readonly site: string;
  }): ReturnType<EngineDoors['createEnrolmentToken']> {
    this.#take('createEnrolmentToken', request);
    return { site: request.site, secret: 'enrolment-secret', expiresAt: began };
  }
  async enrolAgent(): ReturnType<EngineDoors['enrolAgent']> {
    return { site: 'local', epoch: 1 };
  }
  async replaceAgent(request: { readonly site: string }): ReturnType<EngineDoors['replaceAgent']> {
    return this.createEnrolmentToken(request);
  }
  acknowledgedSequence(): number {
    return 0;
  }
  eventsBack(before: number, filter: Parameters<EngineDoors['events']>[1] = {}): readonly EngineEvent[] {
    return this.events(0, { ...filter, limit: Infinity })
      .filter(({ number }) => number < before)
      .toReversed()
      .slice(0, filter.limit ?? 1000);
  }

  events(after: number, filter: Parameters<EngineDoors['events']>[1] = {}): readonly EngineEvent[] {
    return this.happened
      .filter((event) => event.number > after)
      .filter((event) => filter.operation === undefined || event.operation === filter.operation)
      .slice(0, filter.limit ?? 1000);
  }
  async logLines(operation: string, after: number, limit = 1000): ReturnType<EngineDoors['logLines']> {
    this.getOperation(operation);
    // Numbered from 1 without gaps: a search through 200,000 for each page would be slow.
    const lines = this.lines.slice(after, after + limit);
    return { lines, firstKept: 1, last: lines.at(-1)?.number ?? after };
  }
  subscribe(listener: (item: LiveItem) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
  async listPayloads(): ReturnType<EngineDoors['listPayloads']> {
    return [];
  }

  #take(name: string, request: unknown): void {
    this.asked.push({ name, request });
    const { refusal } = this;
    this.refusal = undefined;
    if (refusal) throw refusal;
  }
}
