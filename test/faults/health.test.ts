import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ClusterHealth } from '../../daemon/operations/health/view.ts';
import { answerFile } from './answer-file.ts';
import { World } from './harness.ts';

const minute = 60_000;
let world: World;

beforeEach(async () => {
  world = new World({ healthEvery: 30_000 });
  await world.open();
  await world.run(world.apply(answerFile(), 'create'));
  await wait(2 * minute);
});

afterEach(() => {
  const { violations } = world.fleet;
  world.close();
  expect(violations).toEqual([]);
});

const wait = (duration: number): Promise<void> => world.run(world.clock.sleep(duration));
const healthNow = (): Promise<ClusterHealth> =>
  world.run(world.request((engine) => engine.clusterHealth.get('demo')));
const stateOf = ({ conditions }: ClusterHealth): Record<string, string> =>
  Object.fromEntries(conditions.map(({ type, status }) => [type, status]));
const conditionOf = ({ conditions }: ClusterHealth, type: string) =>
  conditions.find((condition) => condition.type === type);
const unplug = (name: string): void =>
  world.fleet.addFault({ kind: 'machine-dies', machine: name, at: world.fleet.elapsed });

const allGreen = {
  AgentConnected: 'True',
  ApiServerHealthy: 'True',
  EtcdHealthy: 'True',
  NodesReady: 'True',
  CertificatesValid: 'True',
  VersionsAligned: 'True',
  DiskSpace: 'True',
};

describe('health of a cluster between operations (K6)', () => {
  it('is all green on a cluster that was just made, with its numbers', async () => {
    const health = await healthNow();
    expect(stateOf(health)).toEqual(allGreen);
    expect(health.status).toBe('Healthy');
    expect(health.numbers).toMatchObject({ nodesReady: 5, nodesTotal: 5, etcdMembers: 3, etcdHealthy: 3 });
    expect(conditionOf(health, 'EtcdHealthy')?.message).toContain('one more may fail');
  });

  it('names a master that died, says since when, how much more may fail, and what to do', async () => {
    const before = world.clock.milliseconds();
    unplug('demo-cp-2');
    await wait(3 * minute);
    const health = await healthNow();
    expect(health.status).toBe('Degraded');
    const etcd = conditionOf(health, 'EtcdHealthy');
    expect(etcd).toMatchObject({ status: 'False', severity: 'warning', machine: 'demo-cp-2' });
    expect(etcd?.message).toContain('none more may fail');
    expect(etcd?.remedy).toContain('remuda machine replace demo demo-cp-2');
    const since = Date.parse(etcd?.lastTransitionTime ?? '');
    expect(since).toBeGreaterThanOrEqual(before);
    expect(since).toBeLessThanOrEqual(before + minute);
    expect(conditionOf(health, 'NodesReady')?.message).toContain('demo-cp-2');

    unplug('demo-cp-3');
    await wait(3 * minute);
    const worse = await healthNow();
    expect(worse.status).toBe('Unhealthy');
    expect(conditionOf(worse, 'EtcdHealthy')).toMatchObject({ reason: 'QuorumLost', severity: 'critical' });
    // The state is the same, so the moment since which it is so is too.
    expect(conditionOf(worse, 'EtcdHealthy')?.lastTransitionTime).toBe(etcd?.lastTransitionTime);
  });

  it('keeps the history of changes alone, and tells them as events', async () => {
    const count = async (): Promise<number> =>
      (await world.run(world.request((engine) => engine.clusterHealth.history('demo', 1000)))).length;
    const quiet = await count();
    await wait(60 * minute);
    expect(await count()).toBe(quiet);
    unplug('demo-general-1');
    await wait(3 * minute);
    const [newest] = await world.run(world.request((engine) => engine.clusterHealth.history('demo', 1)));
    expect(newest).toMatchObject({ from: 'True', condition: { type: 'NodesReady', status: 'False' } });
    const events = await world.run(world.request((engine) => engine.eventsBack(1e9, { limit: 20 })));
    expect(events.find(({ type }) => type === 'cluster.health')).toMatchObject({
      cluster: 'demo',
      data: { condition: 'NodesReady', status: 'False', from: 'True' },
    });
  });

  it('is unknown, never green, while the agent is away, and says since when', async () => {
    const before = world.clock.milliseconds();
    const { agent } = world.wire;
    world.wire.agent = undefined;
    world.wire.reconnect();
    await wait(2 * minute);
    const away = await healthNow();
    expect(away.status).toBe('Unknown');
    expect(conditionOf(away, 'AgentConnected')?.status).toBe('False');
    const others = away.conditions.filter(({ type }) => type !== 'AgentConnected');
    expect(new Set(others.map(({ status }) => status))).toEqual(new Set(['Unknown']));
    const since = Date.parse(conditionOf(away, 'NodesReady')?.lastTransitionTime ?? '');
    expect(Math.abs(since - before)).toBeLessThan(10_000);
    expect(away.numbers).toEqual({});

    world.wire.agent = agent;
    world.wire.reconnect();
    await wait(minute);
    expect(stateOf(await healthNow())).toEqual(allGreen);
  });

  it('goes on by itself after both processes were killed', async () => {
    const before = await healthNow();
    world.kill(['daemon', 'agent']);
    await wait(2 * minute);
    const after = await healthNow();
    expect(stateOf(after)).toEqual(allGreen);
    const nodes = 'NodesReady';
    expect(conditionOf(after, nodes)?.lastTransitionTime).toBe(
      conditionOf(before, nodes)?.lastTransitionTime,
    );
  });

  it('believes nothing that an earlier process kept until the agent has told of it again', async () => {
    world.wire.agent = undefined;
    world.kill(['daemon']);
    await wait(5000);
    const health = await healthNow();
    expect(health.status).toBe('Unknown');
    expect(conditionOf(health, 'NodesReady')?.status).toBe('Unknown');
    // Not since the agent was heard of last, which may be days ago: nobody is woken by a start.
    const since = Date.parse(conditionOf(health, 'NodesReady')?.lastTransitionTime ?? '');
    expect(world.clock.milliseconds() - since).toBeLessThan(10_000);
  });
});

describe('health while an operation works on the cluster (K6)', () => {
  it('an upgrade that replaces every master is no silence of the API: some answer at every moment', async () => {
    await wait(10 * minute);
    const text = answerFile({ version: '1.20.3' });
    const asked = { text, file: 'cluster.yaml', principal: 'tester', confirm: ['demo'] };
    const { operations } = await world.run(world.request((engine) => engine.apply(asked)));
    const ended = await world.run(world.ended(operations[0]?.id ?? ''));
    expect(ended.state, world.explain()).toBe('succeeded');
    await wait(5 * minute);
    const history = await world.run(world.request((engine) => engine.clusterHealth.history('demo', 1000)));
    const said = history.flatMap(({ condition: { type, status, message } }) =>
      type === 'ApiServerHealthy' && status !== 'True' ? [message] : [],
    );
    expect(said).toEqual([]);
    const after = await healthNow();
    expect(stateOf(after), JSON.stringify(after.conditions)).toEqual(allGreen);
  }, 240_000);
});

describe('alerts (K6)', () => {
  const notices = async (): Promise<readonly string[]> =>
    world.run(
      world.request(() => {
        const found = world.daemon?.state.alerts.notices(0, 100) ?? [];
        return found.map(({ body }) =>
          (body['alerts'] as readonly { condition: string; state: string; severity: string }[])
            .map(({ condition, state, severity }) => `${condition} ${state} ${severity}`)
            .sort()
            .join(', '),
        );
      }),
    );

  it('wake nobody for what passes soon', async () => {
    const { elapsed } = world.fleet;
    world.fleet.addFault({
      kind: 'machine-dies',
      machine: 'demo-general-1',
      at: elapsed,
      back: elapsed + 70_000,
    });
    await wait(15 * minute);
    expect(stateOf(await healthNow())).toEqual(allGreen);
    expect(await notices()).toEqual([]);
  });

  it('tell what stays bad once, grouped by cluster, and when it is over', async () => {
    const { elapsed } = world.fleet;
    const fault = { kind: 'machine-dies', at: elapsed, back: elapsed + 30 * minute } as const;
    world.fleet.addFault({ ...fault, machine: 'demo-cp-2' });
    await wait(10 * minute);
    const first = await notices();
    expect(first.join('; ')).toContain('EtcdHealthy firing warning');
    expect(first.join('; ')).toContain('NodesReady firing warning');
    await wait(10 * minute);
    expect(await notices()).toEqual(first);
    await wait(30 * minute);
    const all = (await notices()).join('; ');
    expect(all).toContain('EtcdHealthy resolved warning');
    expect(all.split('resolved').length).toBe(all.split('firing').length);
  });

  it('are told once over a kill of the daemon at the moment they begin', async () => {
    unplug('demo-general-1');
    await wait(3 * minute);
    world.kill(['daemon']);
    await wait(15 * minute);
    const all = await notices();
    expect(all.filter((text) => text.includes('NodesReady firing'))).toHaveLength(1);
  });
});
