import { describe, expect, it } from 'vitest';
import { paths } from '../../../provisioners/kubernetes/paths.ts';
import { controlPlaneInit } from '../../../provisioners/kubernetes/steps/control-plane-init.ts';
import { controlPlaneJoin } from '../../../provisioners/kubernetes/steps/control-plane-join.ts';
import { etcdMemberRemove } from '../../../provisioners/kubernetes/steps/etcd-member-remove.ts';
import { controlPlaneLabel } from '../../../provisioners/kubernetes/versions.ts';
import { FakeWorld, fakeKeys, machineNamed, memberNamed } from './fake-context.ts';
import { settings } from './fake-settings.ts';

const first = machineNamed('c-cp-1');
const second = machineNamed('c-cp-2', '10.0.0.12');
const joining = { machine: second, settings, access: { masters: [first], apiPort: 6444 } };
const starting = { machine: first, settings, others: [second] };

const at = (path: string) => ({ path, content: 'x', mode: 0o600 });

function put(world: FakeWorld, ...found: readonly string[]): void {
  for (const path of found) world.files.set(path, at(path));
}

const master = (name: string) => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name, labels: { [controlPlaneLabel]: '' } },
});

/** A cluster of one master that is well. */
function oneMaster(): FakeWorld {
  const world = new FakeWorld();
  world.members = [memberNamed('c-cp-1', first.address, { leader: true })];
  world.readyMasters.set('c-cp-1', 'v1.20.2');
  world.objects.set('Node/c-cp-1', master('c-cp-1'));
  return world;
}

describe('control-plane.init', () => {
  it('never starts a second cluster beside a master that holds etcd data (complaint 7)', async () => {
    const world = new FakeWorld();
    const context = world.context();
    // The fake has one machine's files; the first look is at the new master, the second at the others.
    let looks = 0;
    context.file.exist = async (_machine, asked) => new Set((looks += 1) === 1 ? [] : asked);
    const seen = await controlPlaneInit.observe(context, starting);
    expect(seen).toMatchObject({ state: 'blocked' });
    expect(JSON.stringify(seen)).toContain('c-cp-2 holds etcd data');
  });

  it('attaches to a kubeadm that runs, whoever started it', async () => {
    const world = new FakeWorld();
    world.kubeadm = { state: 'running', since: '2026-11-21T05:00:00.000Z', lastLine: '[etcd] waiting' };
    expect(await controlPlaneInit.observe(world.context(), starting)).toMatchObject({ state: 'pending' });
  });

  it('runs again over what an interrupted run left, and resets nothing (complaint 3)', async () => {
    const world = new FakeWorld();
    put(world, paths.apiServerManifest, paths.etcdManifest, paths.etcdData);
    expect(await controlPlaneInit.observe(world.context(), starting)).toMatchObject({ state: 'broken' });
    await controlPlaneInit.apply(world.context(), starting);
    expect(world.commands.map(({ verb }) => verb)).toEqual(['init']);
    expect(world.commands[0]).toMatchObject({
      skipPhases: ['addon/coredns'],
      ignorePreflightErrors: expect.arrayContaining(['DirAvailable--var-lib-etcd', 'Port-6444']),
    });
  });

  it('is done only when the last thing kubeadm makes is there', async () => {
    const world = oneMaster();
    put(world, paths.apiServerManifest);
    expect(await controlPlaneInit.observe(world.context(), starting)).toMatchObject({ state: 'broken' });
    world.objects.set('DaemonSet/kube-proxy', {
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      metadata: { name: 'kube-proxy' },
    });
    expect(await controlPlaneInit.observe(world.context(), starting)).toEqual({ state: 'done', facts: {} });
  });

  it('leaves no bootstrap token on the machine, and none in the log', async () => {
    const world = new FakeWorld();
    let during = '';
    world.onKubeadm = async () => {
      during = world.files.get(paths.kubeadmConfig)?.content ?? '';
    };
    await controlPlaneInit.apply(world.context(), starting);
    expect(during).toContain(fakeKeys.bootstrapToken);
    expect([...world.files.values()].map(({ content }) => content).join()).not.toContain('TOKENCANARY');
    expect(world.logs.join()).not.toContain('CANARY');
  });
});

describe('control-plane.join', () => {
  it('is done for a healthy voter and a marked Node: the next may join while the API server starts', async () => {
    const world = oneMaster();
    put(world, paths.etcdManifest, paths.apiServerManifest, paths.kubeletKubeconfig);
    world.members.push(memberNamed('c-cp-2', second.address));
    world.objects.set('Node/c-cp-2', master('c-cp-2'));
    expect(await controlPlaneJoin.observe(world.context(), joining)).toEqual({ state: 'done', facts: {} });
  });

  it('waits for the etcd member of a master that has joined, and evicts it only when its manifests are gone', async () => {
    const world = oneMaster();
    put(world, paths.etcdManifest, paths.apiServerManifest, paths.kubeletKubeconfig);
    world.members.push(memberNamed('c-cp-2', second.address, { healthy: false }));
    world.objects.set('Node/c-cp-2', master('c-cp-2'));
    expect(await controlPlaneJoin.observe(world.context(), joining)).toMatchObject({ state: 'pending' });
    world.files.delete(paths.etcdManifest);
    expect(await controlPlaneJoin.observe(world.context(), joining)).toMatchObject({ state: 'broken' });
    await controlPlaneJoin.apply(world.context(), joining);
    expect(world.calls).toContain('remove member id-c-cp-2');
  });

  it('lays out the authorities again, because a reset took them', async () => {
    const world = oneMaster();
    await controlPlaneJoin.apply(world.context(), joining);
    expect(world.files.get(`${paths.pki}/ca.key`)).toMatchObject({ mode: 0o600, content: 'CA-KEY-CANARY' });
    expect(world.logs.join()).not.toContain('CANARY');
  });

  it('names every piece of a half-joined master (complaint 5)', async () => {
    const world = oneMaster();
    put(world, paths.kubeletKubeconfig);
    world.members.push(memberNamed('', second.address, { id: 'ghost', started: false, healthy: false }));
    const seen = await controlPlaneJoin.observe(world.context(), joining);
    expect(seen).toMatchObject({ state: 'broken' });
    expect(JSON.stringify(seen)).toContain('an etcd member that has never started');
  });

  it('evicts the member before anything else of it, then joins anew (complaint 5)', async () => {
    const world = oneMaster();
    put(world, paths.kubeletKubeconfig);
    world.members.push(memberNamed('', second.address, { id: 'ghost', started: false, healthy: false }));
    world.objects.set('Node/c-cp-2', master('c-cp-2'));
    await controlPlaneJoin.apply(world.context(), joining);
    const acts = world.calls.filter((call) => !call.startsWith('write'));
    expect(acts).toEqual(['remove member ghost', 'remove Node/c-cp-2', 'kubeadm reset', 'kubeadm join']);
    expect(world.members.map(({ name }) => name)).toEqual(['c-cp-1']);
    expect(world.logs.join(' ')).toContain('left unstarted');
  });

  it('moves the leader off a member before it removes it (complaint 6)', async () => {
    const world = oneMaster();
    put(world, paths.kubeletKubeconfig);
    world.members = [
      memberNamed('c-cp-1', first.address),
      memberNamed('c-cp-2', second.address, { leader: true }),
    ];
    await controlPlaneJoin.apply(world.context(), joining);
    const acts = world.calls.filter((call) => call.includes('member') || call.includes('leader'));
    expect(acts).toEqual(['move leader to id-c-cp-1', 'remove member id-c-cp-2']);
  });

  it('waits, and applies nothing, while etcd or the API is silent about a master that has begun to join', async () => {
    const world = oneMaster();
    put(world, paths.etcdManifest, paths.kubeletKubeconfig);
    world.isEtcdSilent = true;
    const silent = await controlPlaneJoin.observe(world.context(), joining);
    expect(silent).toMatchObject({ state: 'pending', what: 'etcd to answer for c-cp-2' });
    await controlPlaneJoin.apply(world.context(), joining);
    // It joined whole, and came back while etcd had no leader: its Node cannot be seen, and is no missing Node.
    world.isEtcdSilent = false;
    world.isApiSilent = true;
    world.members = [
      memberNamed('c-cp-1', first.address, { healthy: false }),
      memberNamed('c-cp-2', second.address, { healthy: false }),
    ];
    const unseen = await controlPlaneJoin.observe(world.context(), joining);
    expect(unseen).toMatchObject({ state: 'pending', what: 'the Kubernetes API to answer for c-cp-2' });
    await controlPlaneJoin.apply(world.context(), joining);
    expect(world.calls).toEqual([]);
  });

  it('starts a member that was added and never started when none is healthy without it (real etcd 3.4 lists them)', async () => {
    const world = oneMaster();
    put(world, paths.etcdManifest, paths.kubeletKubeconfig);
    const ghost = memberNamed('', second.address, { id: 'ghost', started: false, healthy: false });
    world.members = [memberNamed('c-cp-1', first.address, { healthy: false }), ghost];
    world.isApiSilent = true;
    expect(await controlPlaneJoin.observe(world.context(), joining)).toMatchObject({ state: 'broken' });
    const context = world.context();
    const { restart } = context.service;
    context.service.restart = async (machine, unit) => {
      await restart(machine, unit);
      world.isApiSilent = false;
      world.members = [memberNamed('c-cp-1', first.address), memberNamed('c-cp-2', second.address)];
    };
    await controlPlaneJoin.apply(context, joining);
    expect(world.calls[0]).toBe('restart kubelet.service');
    expect(world.calls).toContain('remove member id-c-cp-2');
  });

  it('says that only a new cluster helps when the lost member has nothing to start from', async () => {
    const world = oneMaster();
    put(world, paths.kubeletKubeconfig);
    const ghost = memberNamed('', second.address, { id: 'ghost', started: false, healthy: false });
    world.members = [memberNamed('c-cp-1', first.address, { healthy: false }), ghost];
    await expect(controlPlaneJoin.apply(world.context(), joining)).rejects.toThrow('can never start');
    expect(world.calls).toEqual([]);
  });

  it('applies nothing while etcd is silent and the machine bears no trace: unknown', async () => {
    const world = oneMaster();
    world.isEtcdSilent = true;
    await expect(controlPlaneJoin.observe(world.context(), joining)).rejects.toThrow('no member answered');
  });

  it('restarts a kubelet that rejected etcd’s pod while kubeadm waits, and says so (complaint 5, kubernetes#99305)', async () => {
    const world = oneMaster();
    world.journal = [
      'Failed to admit pod etcd-c-cp-2_kube-system(x) - no set of running pods found to reclaim resources: [(res: ephemeral-storage, q: 104857600), ]',
    ];
    world.onKubeadm = async (command, whileRunning) => {
      if (command.verb !== 'join') return;
      put(world, paths.etcdManifest);
      for (let tick = 0; tick < 12; tick += 1) {
        await whileRunning?.();
        world.clock += 5000;
        if (world.calls.includes('restart kubelet.service')) world.journal = [];
      }
    };
    await controlPlaneJoin.apply(world.context(), joining);
    expect(world.calls.filter((call) => call === 'restart kubelet.service')).toHaveLength(1);
    expect(world.logs.join(' ')).toContain('kubernetes#99305');
  });
});

describe('etcd-member.remove', () => {
  it.each([
    ['master', undefined],
    ['machine of etcd', [machineNamed('m2', '10.0.0.12')]],
  ] as const)('held back, it says which %s would help (H4, complaint 6)', async (kind, etcd) => {
    const world = new FakeWorld();
    const masters = [machineNamed('m2', '10.0.0.12')];
    const access = { masters, apiPort: 6443, ...(etcd === undefined ? {} : { etcd: [...etcd] }) };
    const three = (third: boolean) => [
      memberNamed('m1', '10.0.0.11'),
      memberNamed('m2', '10.0.0.12'),
      memberNamed('m3', '10.0.0.13', { healthy: third }),
    ];
    world.members = three(false);
    expect(await etcdMemberRemove.observe(world.context(), { name: 'm1', access })).toMatchObject({
      state: 'blocked',
      remedy: `Bring m3 back, or add a ${kind} first; the removal goes on by itself.`,
    });
    world.members = three(true).slice(0, 1);
    expect(await etcdMemberRemove.observe(world.context(), { name: 'm1', access })).toMatchObject({
      state: 'blocked',
      remedy: `Bring another ${kind} back, or add a ${kind} first; the removal goes on by itself.`,
    });
  });
});
