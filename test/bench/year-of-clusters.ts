import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Dispatch, Outcome } from '../../appliance/agent/protocol/dispatch.ts';
import { Engine } from '../../daemon/operations/engine.ts';
import { answerFilePlanners } from '../../daemon/operations/answer-file.ts';
import type { OperationView } from '../../daemon/operations/answers.ts';
import { type Clock, systemClock } from '../../daemon/state/clock.ts';
import { State } from '../../daemon/state/state.ts';
import type { Observed } from '../../provisioners/contract/observed.ts';
import { applied, nothing } from '../unit/planning/scenario.ts';
import { InstantAgent } from './instant-agent.ts';
import { say } from './table.ts';

/** Clusters of the goal (DESIGN §9). */
const clusters = 200;
/** Clusters that share a provider, as in a data centre. */
const perProvider = 10;
/** Changes after the creation, one a month. */
const changes = 12;
/** One change in so many fails at first, and is taken up again. */
const failingEvery = 9;
/** Clusters whose last change failed and was left so, and clusters whose last change is under way. */
const leftFailed = 4;
const leftRunning = 6;
const month = 30 * 24 * 60 * 60_000;
/** Rows of the audit trail: some 270 a day, from twenty people and as many programs. */
const auditRows = 100_000;
const auditAtOnce = 1000;
const people = 20;

/** What was made. */
export interface YearOfClusters {
  readonly clusters: number;
  readonly machines: number;
  readonly operations: number;
  readonly steps: number;
  readonly events: number;
  readonly auditRows: number;
}

/** The answer file of a cluster after so many changes: every second month one worker more, in the others another label. */
function answersOf(index: number, change: number): string {
  const provider = Math.floor(index / perProvider) + 1;
  const place = index % perProvider;
  const workers = 2 + Math.ceil(change / 2);
  const first = place * 24 + 1;
  return `# Cluster ${index + 1} of the house, in the racks of data centre ${provider}.
apiVersion: remuda.dev/v1alpha1
kind: Provider
metadata: { name: dc-${provider} }
spec:
  type: lab
  lab: { subnet: 10.${20 + provider}.0.0/16 }
---
apiVersion: remuda.dev/v1alpha1
kind: Cluster
metadata: { name: ${nameOf(index)} }
spec:
  provider: dc-${provider}
  kubernetes: { version: "1.20.2" }
  controlPlane: { replicas: 3, endpoint: { host: 10.${20 + provider}.250.${place + 1} } }
  workers: [{ name: general, replicas: ${workers}, labels: { example.com/stage: "s${Math.floor(change / 2)}" } }]
  nodeNetwork:
    ranges: [10.${20 + provider}.${first}.1-10.${20 + provider}.${first}.250]
    prefix: 16
    gateway: 10.${20 + provider}.0.1
  addons:
    network: { type: routed-bridge }
    dns: { enabled: true }
  deletion: { protected: false }
`;
}

const nameOf = (index: number): string => `team-${String(index + 1).padStart(3, '0')}`;

/** The world behind the agent: what there is of each cluster, by name. */
class Ground {
  readonly observed = new Map<string, Observed>();
  /** Clusters in which the next step of this kind fails, or never ends. */
  readonly failing = new Map<string, string>();
  readonly hanging = new Set<string>();

  work({ key, input, kind, context }: Dispatch): { text: string; outcome: Outcome } | undefined {
    const { name } = context.cluster;
    const subject = key.step.slice(key.step.indexOf('/') + 1);
    const text = `${kind} on ${subject}: looked, found it to be done, and did it in the ordinary way`;
    if (kind === 'cluster.verify' && this.hanging.has(name)) return undefined;
    if (this.failing.get(name) === kind) {
      this.failing.delete(name);
      const problem = {
        kind: 'blocked' as const,
        code: 'HOST-001',
        summary: `${subject} did not answer for ten minutes`,
        machine: subject,
        remedy: 'See whether it is on, then resume the operation.',
      };
      return { text, outcome: { state: 'failed', problem, hardLimit: false } };
    }
    return { text, outcome: { state: 'succeeded', changed: true, facts: factsOf(kind, subject, input) } };
  }
}

/** Facts that later inputs take: addresses and host keys. */
function factsOf(
  kind: string,
  subject: string,
  input: Dispatch['input'],
): Extract<Outcome, { facts: unknown }>['facts'] {
  const { address, machine, publicKey } = (input ?? {}) as {
    readonly address?: string;
    readonly machine?: { readonly address: string };
    readonly publicKey?: string;
  };
  if (kind === 'machine.create')
    return { address: address?.split('/')[0] ?? '', provisionalHostKey: `ssh-ed25519 PROVISIONAL${subject}` };
  if (kind === 'host-key.generate') return { publicKey: `ssh-ed25519 OWN${subject}` };
  if (kind === 'host-key.replace')
    return {
      reference: {
        name: subject,
        address: machine?.address ?? '',
        port: 22,
        user: 'root',
        hostKeys: [publicKey ?? ''],
      },
    };
  return {};
}

/**
 * A year in the life of 200 clusters, made by the real engine, planner and store in the daemon's own state folder; only
 * the agent is a fake, which is done at once. Time runs a month a change.
 */
export async function liveThroughYear(folder: string): Promise<YearOfClusters> {
  let now = Date.now() - (changes + 1) * month;
  const clock: Clock = { now: () => now, after: systemClock.after };
  const state = new State({ folder, clock });
  const ground = new Ground();
  const agent = new InstantAgent({
    now: clock.now,
    work: (dispatch) => ground.work(dispatch),
    observe: async ({ context: { cluster } }) => ({
      ...(ground.observed.get(cluster.name) ?? nothing(cluster.name)),
      cluster,
      at: new Date(now).toISOString(),
    }),
  });
  const engine = new Engine({
    state,
    links: () => agent,
    planners: answerFilePlanners,
    clock,
    ids: randomUUID,
    logDirectory: join(folder, 'logs'),
    seal: async () => 'sealed',
  });
  const { secret } = await engine.createEnrolmentToken({ site: 'local', principal: 'bench', minutes: 5 });
  await engine.enrolAgent({ secret, request: 'PKCS10', recipient: 'age1bench', release: '1' });
  await engine.start();
  const inhabitants = await invite(state, now);
  for (let change = 0; change <= changes; change += 1) {
    await Promise.all(
      Array.from({ length: clusters }, (_, index) =>
        applyChange({ engine, ground }, { index, change, principal: inhabitants[index % people] ?? '' }),
      ),
    );
    await keepAudit(state, { now, rows: Math.floor(auditRows / (changes + 1)), inhabitants });
    say(`month ${change + 1} of ${changes + 1}: ${state.events.last()} events until now`);
    now += month - 60_000;
  }
  await giveAccess(state, inhabitants, now);
  const made = count(engine, state);
  await engine.stop();
  state.close();
  return made;
}

interface Change {
  readonly index: number;
  readonly change: number;
  readonly principal: string;
}

async function applyChange(
  { engine, ground }: { readonly engine: Engine; readonly ground: Ground },
  { index, change, principal }: Change,
): Promise<void> {
  const name = nameOf(index);
  const isLast = change === changes;
  if (isLast && index < leftRunning) ground.hanging.add(name);
  const isLeftFailed = isLast && index >= leftRunning && index < leftRunning + leftFailed;
  if (isLeftFailed || (index + change) % failingEvery === 0) ground.failing.set(name, 'cluster.verify');
  const request = { text: answersOf(index, change), file: `${name}.yaml`, principal };
  const ended = isLast && ground.hanging.has(name) ? undefined : endOf(engine, name);
  const { operations } = await engine.apply(request);
  const [operation] = operations;
  if (operation === undefined || ended === undefined) return;
  const { plan } = engine.getOperation(operation.id);
  if ((await ended) === 'failed' && !isLeftFailed) {
    const again = endOf(engine, name);
    await engine.resumeOperation(operation.id, principal);
    await again;
  }
  ground.observed.set(name, applied(ground.observed.get(name) ?? nothing(name), plan));
  if (isLast) await engine.observe(name);
}

/** The end of the next operation of a cluster. */
function endOf(engine: Engine, cluster: string): Promise<OperationView['state']> {
  return new Promise((resolve) => {
    const unsubscribe = engine.subscribe((item) => {
      if (item.type !== 'event' || item.event.type !== 'operation.ended' || item.event.cluster !== cluster)
        return;
      unsubscribe();
      resolve(engine.listOperations({ cluster, limit: 1 })[0]?.state ?? 'failed');
    });
  });
}

/** The people of the house; they sign in by a directory, so there is no password to be drawn. */
async function invite(state: State, now: number): Promise<readonly string[]> {
  const createdAt = new Date(now).toISOString();
  return Promise.all(
    Array.from({ length: people }, (_, index) => {
      const id = `directory:corp/person-${index + 1}`;
      return state.journal.write(() => {
        const name = `person-${index + 1}@corp`;
        state.principals.add({ id, name, kind: 'person', roles: ['viewer'], createdAt });
        return id;
      });
    }),
  );
}

/** A month of the audit trail. */
async function keepAudit(
  state: State,
  {
    now,
    rows,
    inhabitants,
  }: { readonly now: number; readonly rows: number; readonly inhabitants: readonly string[] },
): Promise<void> {
  const verbs = ['session.create', 'plan.make', 'cluster.apply', 'cluster.credential', 'operation.resume'];
  for (let done = 0; done < rows; done += auditAtOnce)
    await state.journal.write(() => {
      for (let index = done; index < Math.min(rows, done + auditAtOnce); index += 1)
        state.audit.append({
          at: new Date(now + (index / rows) * month).toISOString(),
          principal: inhabitants[index % people] ?? 'anonymous',
          verb: verbs[index % verbs.length] ?? '',
          object: `cluster/${nameOf(index % clusters)}`,
          outcome: index % 50 === 0 ? 'refused' : 'allowed',
          detail: {
            address: `192.0.2.${index % 250}`,
            status: 200,
            browser: 'a browser of an ordinary name',
          },
        });
    });
}

/** Roles in clusters, and what was given out for getting into them. */
async function giveAccess(state: State, inhabitants: readonly string[], now: number): Promise<void> {
  const at = new Date(now).toISOString();
  await state.journal.write(() => {
    for (const [index, { uid }] of state.clusters.list().entries())
      for (let offset = 0; offset < 3; offset += 1) {
        const principal = inhabitants[(index + offset) % people] ?? '';
        const given = { cluster: uid, principal };
        state.grants.put({ id: randomUUID(), ...given, role: 'operator', grantedBy: 'bench', at });
        state.credentials.add({ id: randomUUID(), ...given, kind: 'kubeconfig', issuedAt: at });
      }
  });
}

function count(engine: Engine, state: State): YearOfClusters {
  const operations = engine.listOperations({ limit: 1_000_000 });
  return {
    clusters: state.clusters.list().length,
    machines: state.clusters
      .list()
      .reduce((sum, { name }) => sum + (engine.getCluster(name).observed?.machines?.length ?? 0), 0),
    operations: operations.length,
    steps: operations.reduce((sum, { steps }) => sum + steps.total, 0),
    events: state.events.last(),
    auditRows: state.audit.head().number,
  };
}
