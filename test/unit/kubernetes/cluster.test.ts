import { describe, expect, it } from 'vitest';
import { paths } from '../../../provisioners/kubernetes/paths.ts';
import { clusterAccessGrant } from '../../../provisioners/kubernetes/steps/cluster-access-grant.ts';
import { clusterVerify } from '../../../provisioners/kubernetes/steps/cluster-verify.ts';
import { nodeLabel } from '../../../provisioners/kubernetes/steps/node-label.ts';
import { workerJoin } from '../../../provisioners/kubernetes/steps/worker-join.ts';
import { readMarks, setMark } from '../../../provisioners/kubernetes/marks.ts';
import { FakeWorld, machineNamed, memberNamed } from './fake-context.ts';
import { settings } from './fake-settings.ts';
import { nodeThatAnswered, probeObjects } from '../../../provisioners/kubernetes/probe.ts';
import { minorFor, probeImage } from '../../../provisioners/kubernetes/versions.ts';

const access = { masters: [machineNamed('c-cp-1')], apiPort: 6444 };
const worker = { machine: machineNamed('c-w-1', '10.0.0.21'), settings, access };

const node = (name: string, isReady = true) => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name },
  status: {
    conditions: [
      { type: 'Ready', status: isReady ? 'True' : 'False', message: 'cni plugin not initialized' },
    ],
  },
});

const label = {
  name: 'c-w-1',
  role: 'worker' as const,
  labels: { tier: 'gold' },
  taints: [{ key: 'dedicated', value: 'db', effect: 'NoSchedule' }],
  configDigest: 'a.b',
  access,
};

describe('marks', () => {
  it('keep the others when one is set', async () => {
    const context = new FakeWorld().context();
    await setMark(context, access, 'one', '1');
    await setMark(context, access, 'two', '2');
    expect(await readMarks(context, access)).toEqual({ one: '1', two: '2' });
  });
});

describe('cluster-access.grant', () => {
  it('renews a bootstrap token that has run out, or soon will', async () => {
    const world = new FakeWorld();
    const context = world.context();
    await clusterAccessGrant.apply(context, { access });
    expect(await clusterAccessGrant.observe(context, { access })).toEqual({ state: 'done', facts: {} });
    world.clock += 23.5 * 3_600_000;
    expect(await clusterAccessGrant.observe(context, { access })).toMatchObject({ state: 'todo' });
  });

  it('gives viewers and users their rights in a cluster that an older release made', async () => {
    const context = new FakeWorld().context();
    await clusterAccessGrant.apply(context, { access });
    await setMark(context, access, 'access', 'sha256:of-an-older-release');
    expect(await clusterAccessGrant.observe(context, { access })).toMatchObject({ state: 'todo' });
    await clusterAccessGrant.apply(context, { access });
    expect(await clusterAccessGrant.observe(context, { access })).toEqual({ state: 'done', facts: {} });
  });
});

describe('worker.join', () => {
  it('clears what an earlier machine of the name left, then joins (complaint 3)', async () => {
    const world = new FakeWorld();
    world.objects.set('Node/c-w-1', node('c-w-1'));
    world.files.set(paths.bootstrapKubeconfig, {
      path: paths.bootstrapKubeconfig,
      content: 'x',
      mode: 0o600,
    });
    expect(await workerJoin.observe(world.context(), worker)).toMatchObject({ state: 'broken' });
    await workerJoin.apply(world.context(), worker);
    const acts = world.calls.filter((call) => !call.startsWith('write'));
    expect(acts).toEqual(['remove Node/c-w-1', 'kubeadm reset', 'kubeadm join']);
  });

  it('starts a stopped kubelet of a Node that has joined instead of joining again', async () => {
    const world = new FakeWorld();
    world.objects.set('Node/c-w-1', node('c-w-1'));
    world.files.set(paths.kubeletKubeconfig, { path: paths.kubeletKubeconfig, content: 'x', mode: 0o600 });
    expect(await workerJoin.observe(world.context(), worker)).toMatchObject({ state: 'broken' });
    await workerJoin.apply(world.context(), worker);
    expect(world.calls).toEqual(['start kubelet.service']);
    expect(await workerJoin.observe(world.context(), worker)).toEqual({ state: 'done', facts: {} });
  });
});

describe('node.label', () => {
  it('carries over taints that others gave', async () => {
    const world = new FakeWorld();
    const others = [{ key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }];
    world.objects.set('Node/c-w-1', { ...node('c-w-1'), spec: { taints: others } });
    await nodeLabel.apply(world.context(), label);
    expect(world.objects.get('Node/c-w-1')).toMatchObject({
      metadata: { labels: { tier: 'gold' }, annotations: { 'remuda.dev/config': 'a.b' } },
      spec: { taints: [...others, ...label.taints] },
    });
    expect(await nodeLabel.observe(world.context(), label)).toEqual({ state: 'done', facts: {} });
  });

  it('is unknown, not an error of ours, while the Node is not there', async () => {
    await expect(nodeLabel.apply(new FakeWorld().context(), label)).rejects.toThrow('not in the cluster yet');
  });
});

describe('cluster.verify', () => {
  const proof = {
    nodes: ['c-cp-1', 'c-w-1'],
    voters: ['c-cp-1'],
    kubernetesVersion: 'v1.20.2',
    endpoint: { host: '10.0.0.100', port: 6443 },
    access,
  };

  /** A cluster that is well; `answers` says which nodes' pods answer, one after another. */
  function well(answers: readonly string[]): { world: FakeWorld; context: ReturnType<FakeWorld['context']> } {
    const world = new FakeWorld();
    for (const name of proof.nodes) world.objects.set(`Node/${name}`, node(name));
    world.members = [memberNamed('c-cp-1', '10.0.0.11')];
    for (const { name } of access.masters) world.readyMasters.set(name, 'v1.20.2');
    let asked = 0;
    const context = world.context();
    context.kubernetes.versionAtEndpoint = async () => 'v1.20.2';
    context.kubernetes.throughService = async () => {
      asked += 1;
      return `{"pod":"p","node":"${answers[asked % answers.length] ?? ''}"}`;
    };
    return { world, context };
  }

  it('is done once a pod of every node has answered, and takes the pods out again', async () => {
    const { world, context } = well(proof.nodes);
    expect(await clusterVerify.observe(context, proof)).toMatchObject({ state: 'todo' });
    await clusterVerify.apply(context, proof);
    expect(world.objects.has('DaemonSet/remuda-probe')).toBe(false);
    expect(world.objects.has('Service/remuda-probe')).toBe(false);
    expect(await clusterVerify.observe(context, proof)).toEqual({ state: 'done', facts: {} });
  });

  it.each([
    ['v1.20.2', 'remuda.dev/lab/probe:1', []],
    [
      'v1.37.1',
      'registry.k8s.io/e2e-test-images/agnhost:2.53',
      ['netexec', expect.stringContaining('$(NODE_NAME)')],
    ],
  ])('proves %s with an image that its payload has: %s (complaint 14)', (version, image, args) => {
    expect(probeImage(version)).toBe(image);
    const daemonSet = probeObjects(version).find(({ kind }) => kind === 'DaemonSet');
    const { containers } = (daemonSet as never as { spec: { template: { spec: { containers: [object] } } } })
      .spec.template.spec;
    expect(containers[0]).toMatchObject({ image, imagePullPolicy: 'Never' });
    for (const arg of args)
      expect((containers[0] as { readonly args: readonly string[] }).args).toContainEqual(arg);
  });

  it('understands what the probe of an upstream payload answers', () => {
    const override = minorFor('1.37.1').probe.args.find((arg) => arg.startsWith('--http-override=')) ?? '';
    // The kubelet expands the variable, agnhost answers with the decoded `msg`.
    const asked = override.slice('--http-override='.length).replace('$(NODE_NAME)', 'c-w-1');
    const body = new URL(asked, 'http://probe').searchParams.get('msg') ?? '';
    expect(nodeThatAnswered(body)).toBe('c-w-1');
  });

  it('names the nodes whose pods never answer', async () => {
    const { context } = well(['c-cp-1']);
    await expect(clusterVerify.apply(context, proof)).rejects.toThrow('No pod on c-w-1 answered');
  });

  it('hands over the lead of a controller-manager that makes no Endpoints, once', async () => {
    const { world, context } = well([]);
    world.objects.set('Lease/kube-controller-manager', {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: 'kube-controller-manager' },
      spec: { holderIdentity: 'c-cp-1' },
    });
    let asked = 0;
    context.kubernetes.throughService = async () => {
      const lock = world.objects.get('Lease/kube-controller-manager');
      const isHelped = JSON.stringify(lock).includes('remuda');
      return isHelped ? `{"node":"${asked++ % 2 === 0 ? 'c-cp-1' : 'c-w-1'}"}` : undefined;
    };
    await clusterVerify.apply(context, proof);
    const handovers = world.calls.filter((call) => call.includes('Lease'));
    expect(handovers).toHaveLength(1);
  });

  it('leaves the lead alone while Endpoints are made', async () => {
    const { world, context } = well(['c-cp-1']);
    for (const [kind, name] of [
      ['Lease', 'kube-controller-manager'],
      ['Endpoints', 'remuda-probe'],
    ] as const)
      world.objects.set(`${kind}/${name}`, { apiVersion: 'v1', kind, metadata: { name } });
    await expect(clusterVerify.apply(context, proof)).rejects.toThrow('No pod on c-w-1 answered');
    expect(world.calls.filter((call) => call.includes('Lease'))).toEqual([]);
  });

  it('takes nobody for deaf whose Service has answered: a proof of many nodes takes its time (complaint 18)', async () => {
    const { world, context } = well(['c-cp-1']);
    world.objects.set('Lease/kube-controller-manager', {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: 'kube-controller-manager' },
    });
    await expect(clusterVerify.apply(context, proof)).rejects.toThrow('No pod on c-w-1 answered');
    expect(world.calls.filter((call) => call.includes('Lease'))).toEqual([]);
  });

  it('waits for Nodes with Kubernetes’ own reason, and for exactly the right voters', async () => {
    const { world, context } = well(proof.nodes);
    world.objects.set('Node/c-w-1', node('c-w-1', false));
    world.members.push(memberNamed('', '10.0.0.12', { id: 'ghost', started: false, healthy: false }));
    const seen = await clusterVerify.observe(context, proof);
    expect(seen).toMatchObject({ state: 'pending' });
    expect(JSON.stringify(seen)).toContain('cni plugin not initialized');
    expect(JSON.stringify(seen)).toContain('a member that should not be: ghost');
  });

  it('waits for every master’s own API server, not only for the one that the endpoint leads to', async () => {
    const { world, context } = well(proof.nodes);
    world.readyMasters.clear();
    const seen = await clusterVerify.observe(context, proof);
    expect(seen).toMatchObject({ state: 'pending' });
    expect(JSON.stringify(seen)).toContain('the API server on c-cp-1 is not ready');
  });

  it('waits for every master’s own API server to answer as the version that was asked for', async () => {
    const { world, context } = well(proof.nodes);
    world.readyMasters.set('c-cp-1', 'v1.20.1');
    const seen = await clusterVerify.observe(context, proof);
    expect(seen).toMatchObject({ state: 'pending' });
    expect(JSON.stringify(seen)).toContain('the API server on c-cp-1 still answers as v1.20.1');
  });

  it('takes out pods that a crash left', async () => {
    const { world, context } = well(proof.nodes);
    await clusterVerify.apply(context, proof);
    world.objects.set('DaemonSet/remuda-probe', {
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      metadata: { name: 'remuda-probe' },
    });
    expect(await clusterVerify.observe(context, proof)).toMatchObject({ state: 'broken' });
    await clusterVerify.apply(context, proof);
    expect(await clusterVerify.observe(context, proof)).toEqual({ state: 'done', facts: {} });
  });

  it('is done while Kubernetes takes the pods out, but begins no other proof before they are gone', async () => {
    const { world, context } = well(proof.nodes);
    await clusterVerify.apply(context, proof);
    world.objects.set('DaemonSet/remuda-probe', {
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      metadata: { name: 'remuda-probe', deletionTimestamp: '2026-11-21T05:00:00Z' },
    });
    expect(await clusterVerify.observe(context, proof)).toEqual({ state: 'done', facts: {} });
    world.objects.set('Node/c-w-2', node('c-w-2'));
    const grown = { ...proof, nodes: [...proof.nodes, 'c-w-2'] };
    expect(await clusterVerify.observe(context, grown)).toMatchObject({ state: 'pending' });
  });
});
