import { describe, expect, it } from 'vitest';
import type { Ports } from '../../provisioners/contract/ports.ts';
import { paths } from '../../provisioners/kubernetes/paths.ts';
import type { MachineRef } from '../../provisioners/contract/machine.ts';
import type { CreateMachine } from '../../provisioners/contract/provider.ts';
import { callFleet } from './model/calls.ts';
import { VirtualClock } from './model/clock.ts';
import type { Fault } from './model/faults.ts';
import { Fleet } from './model/fleet.ts';
import { Door } from './ports/door.ts';
import { fakeSecrets, fleetPorts } from './ports/ports.ts';

const cluster = { uid: 'u1', name: 'demo' };

interface Bench {
  readonly clock: VirtualClock;
  readonly fleet: Fleet;
  ports(step: string, epoch?: number): Ports;
}

function bench(...faults: Fault[]): Bench {
  const clock = new VirtualClock();
  const fleet = new Fleet({ faults });
  clock.onAdvance = (to) => fleet.settle(to);
  return {
    clock,
    fleet,
    ports: (step, epoch = 1) =>
      fleetPorts(
        new Door({
          carry: async (name, given, by) => callFleet(fleet, name, given, by),
          by: { operation: 'op', step, attempt: 1, epoch },
          sleep: (duration) => clock.sleep(duration),
        }),
        fakeSecrets(),
      ),
  };
}

const wish = (name: string, incarnation = 1): CreateMachine => ({
  cluster,
  name,
  role: name.startsWith('m') ? 'control-plane' : 'worker',
  incarnation,
  token: `${name}-${incarnation}`,
  shape: { cpus: 2, memory: 2 ** 32, disks: [] },
  authorizedKey: 'ssh-ed25519 AAAA',
  labels: {},
});

const config = (name: string, kind: 'Init' | 'Join', isMaster: boolean): string =>
  [
    'apiVersion: kubeadm.k8s.io/v1beta2',
    `kind: ${kind}Configuration`,
    `nodeRegistration: { name: ${name} }`,
    ...(isMaster && kind === 'Join' ? ['controlPlane: { localAPIEndpoint: { bindPort: 6444 } }'] : []),
  ].join('\n');

/** A machine as far as kubeadm needs it. */
async function machine(ports: Ports, name: string): Promise<MachineRef> {
  const made = await ports.provider.machines.create(wish(name), new AbortController().signal);
  const reference = {
    name,
    address: made.address ?? '',
    port: 22,
    user: 'root',
    hostKeys: [made.provisionalHostKey ?? ''],
  };
  for (;;) {
    const listed = await ports.provider.machines.list(cluster);
    if (listed.find((one) => one.name === name)?.state === 'running') break;
  }
  await ports.payload.install(reference, 'v1.20.2', name.startsWith('m') ? 'control-plane' : 'worker');
  await ports.service.start(reference, 'containerd');
  await ports.service.start(reference, 'kubelet');
  return reference;
}

const command = (verb: 'init' | 'join') =>
  ({ verb, config: '/etc/kubernetes/k.yaml', skipPhases: [], ignorePreflightErrors: [] }) as const;

async function join(ports: Ports, reference: MachineRef, kind: 'Init' | 'Join'): Promise<void> {
  const isMaster = reference.name.startsWith('m');
  const content = config(reference.name, kind, isMaster);
  await ports.file.write(reference, [{ path: '/etc/kubernetes/k.yaml', content, mode: 0o600 }]);
  await ports.kubeadm.run(reference, command(kind === 'Init' ? 'init' : 'join'));
}

const access = (...masters: MachineRef[]) => ({ masters, apiPort: 6444 });

describe('the simulated fleet', () => {
  it('grows 3 masters and a worker with kubeadm, and keeps quorum at every addition (fleet)', async () => {
    const { clock, fleet, ports } = bench();
    await clock.run(
      (async () => {
        const made: MachineRef[] = [];
        for (const name of ['m1', 'm2', 'm3', 'w1']) made.push(await machine(ports(`make ${name}`), name));
        for (const [index, reference] of made.entries())
          await join(ports(`join ${reference.name}`), reference, index === 0 ? 'Init' : 'Join');
        const masters = access(...made.slice(0, 3));
        await clock.sleep(20_000);
        const members = await ports('look').etcd.members(masters);
        expect(
          members.map(({ name, started, learner, healthy }) => ({ name, started, learner, healthy })),
        ).toEqual(['m1', 'm2', 'm3'].map((name) => ({ name, started: true, learner: false, healthy: true })));
        const nodes = await ports('look').kubernetes.list(masters, { apiVersion: 'v1', kind: 'Node' });
        expect(nodes.map(({ metadata }) => metadata.name).sort()).toEqual(['m1', 'm2', 'm3', 'w1']);
      })(),
    );
    expect(fleet.violations).toEqual([]);
  });

  it('lets kubeadm go on when nobody watches, and lets the same step attach (DESIGN §4)', async () => {
    const { clock, fleet, ports } = bench();
    await clock.run(
      (async () => {
        const m1 = await machine(ports('make'), 'm1');
        const running = join(ports('init'), m1, 'Init');
        running.catch(() => undefined);
        await clock.sleep(4000);
        const seen = await ports('init').kubeadm.observe(m1, 'init');
        expect(seen.state).toBe('running');
        await ports('init').kubeadm.run(m1, command('init'));
        expect((await ports('init').kubeadm.observe(m1, 'init')).state).toBe('ended');
      })(),
    );
    expect(fleet.births.filter((birth) => birth.startsWith('kubeadm'))).toEqual(['kubeadm init m1']);
    expect(fleet.violations).toEqual([]);
  });

  it('records a second kubeadm beside a running one as a violation', async () => {
    const { clock, fleet, ports } = bench();
    await clock.run(
      (async () => {
        const m1 = await machine(ports('make'), 'm1');
        const running = join(ports('init'), m1, 'Init');
        running.catch(() => undefined);
        await clock.sleep(4000);
        await expect(ports('another').kubeadm.run(m1, command('init'))).rejects.toThrow(/already runs/);
      })(),
    );
    expect(fleet.violations.map(({ kind }) => kind)).toEqual(['second-kubeadm']);
  });

  it('finds a machine again by its token, and records a second one for the name as a violation', async () => {
    const { clock, fleet, ports } = bench();
    const { signal } = new AbortController();
    await clock.run(
      (async () => {
        const { machines } = ports('make').provider;
        const one = await machines.create(wish('m1'), signal);
        expect((await machines.create(wish('m1'), signal)).id).toBe(one.id);
        await expect(machines.create(wish('m1', 2), signal)).rejects.toThrow(/already there/);
      })(),
    );
    expect(fleet.violations.map(({ kind }) => kind)).toEqual(['second-machine']);
    expect(fleet.births).toEqual(['machine m1 1']);
  });

  it('takes effect and loses the answer when told so', async () => {
    const { clock, fleet, ports } = bench({ kind: 'lost-answer', call: 'provider.create', nth: 1 });
    await clock.run(
      expect(
        ports('make').provider.machines.create(wish('m1'), new AbortController().signal),
      ).rejects.toThrow(/lost/),
    );
    expect(fleet.births).toEqual(['machine m1 1']);
  });

  it('leaves an unstarted member behind when the joiner never starts; it can be removed (complaint 5)', async () => {
    const { clock, fleet, ports } = bench({ kind: 'joiner-never-starts', machine: 'm3', times: 1 });
    await clock.run(
      (async () => {
        const made: MachineRef[] = [];
        for (const name of ['m1', 'm2', 'm3']) made.push(await machine(ports(`make ${name}`), name));
        const [m1, m2, m3] = made as [MachineRef, MachineRef, MachineRef];
        await join(ports('init'), m1, 'Init');
        await join(ports('join m2'), m2, 'Join');
        await expect(join(ports('join m3'), m3, 'Join')).rejects.toThrow(/ended with 1/);
        const { etcd } = ports('cure');
        const stray = (await etcd.members(access(m1, m2))).find(({ started }) => !started);
        expect(stray?.peerURLs).toEqual([`https://${m3.address}:2380`]);
        await etcd.removeMember(access(m1, m2), stray?.id ?? '');
        await ports('cure').kubeadm.run(m3, { verb: 'reset' });
        await ports('cure').file.remove(m3, [paths.etcdData]);
        await join(ports('again'), m3, 'Join');
        expect(await etcd.members(access(m1))).toHaveLength(3);
      })(),
    );
    expect(fleet.violations).toEqual([]);
  });

  it('refuses to remove a member when the rest would lose quorum (complaint 6)', async () => {
    const { clock, fleet, ports } = bench({ kind: 'machine-dies', machine: 'm3', at: 900_000 });
    await clock.run(
      (async () => {
        const made: MachineRef[] = [];
        for (const name of ['m1', 'm2', 'm3']) made.push(await machine(ports(`make ${name}`), name));
        for (const [index, reference] of made.entries())
          await join(ports(`join ${reference.name}`), reference, index === 0 ? 'Init' : 'Join');
        await clock.sleep(900_000);
        const [m1] = made as [MachineRef];
        const { etcd } = ports('remove');
        const second = (await etcd.members(access(m1))).find(({ name }) => name === 'm2');
        await expect(etcd.removeMember(access(m1), second?.id ?? '')).rejects.toThrow(/quorum/);
      })(),
    );
    expect(fleet.violations).toEqual([]);
  });

  it('hangs a join on kubernetes#99305 until kubelet is restarted', async () => {
    const { clock, ports } = bench({ kind: 'static-pod-rejected', machine: 'm2' });
    await clock.run(
      (async () => {
        const m1 = await machine(ports('make m1'), 'm1');
        const m2 = await machine(ports('make m2'), 'm2');
        await join(ports('init'), m1, 'Init');
        const joining = join(ports('join'), m2, 'Join');
        await clock.sleep(60_000);
        expect((await ports('join').kubeadm.observe(m2, 'join')).state).toBe('running');
        await ports('cure').service.restart(m2, 'kubelet');
        await joining;
      })(),
    );
  });

  it('refuses another host key and, on machines, an old epoch; where nobody refuses it is a violation', async () => {
    const { clock, fleet, ports } = bench();
    await clock.run(
      (async () => {
        const m1 = await machine(ports('make', 2), 'm1');
        await expect(ports('x').host.reach({ ...m1, hostKeys: ['ssh-ed25519 other'] })).rejects.toThrow(
          /host key/,
        );
        await ports('new', 2).service.start(m1, 'haproxy');
        await expect(ports('late', 1).service.stop(m1, 'haproxy')).rejects.toThrow(/epoch/);
        await ports('late', 1).provider.machines.power(cluster, 'm1', 'off');
      })(),
    );
    expect(fleet.violations.map(({ kind }) => kind)).toEqual(['old-epoch']);
  });
});
