import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../appliance/agent/clock.ts';
import { drawIdentity, open, recipientOf } from '../../../appliance/agent/sealing.ts';
import { createQuestions } from '../../../appliance/agent/questions.ts';
import { requestCertificate } from '../../../appliance/agent/pki.ts';
import type { KubernetesObject } from '../../../provisioners/contract/ports/kubernetes.ts';
import type { Ports } from '../../../provisioners/contract/ports.ts';
import { Blocked, Transient } from '../../../provisioners/contract/problem.ts';
import type { ProviderMachine } from '../../../provisioners/contract/provider.ts';
import { clusterKeysSchema } from '../../../provisioners/contract/secrets.ts';
import { steps } from '../../../provisioners/kubernetes/steps.ts';
import { dispatchOf } from './bench.ts';

const { context } = dispatchOf();
const withKeys = { ...context, keys: 'sealed' };
const reference = (name: string) => ({
  name,
  address: '10.0.0.1',
  port: 22,
  user: 'root',
  hostKeys: ['ssh-ed25519 A'],
});
const machine = (name: string, role: 'control-plane' | 'worker'): ProviderMachine => ({
  name,
  role,
  token: `t-${name}`,
  incarnation: 1,
  cluster: context.cluster,
  id: name,
  state: 'running',
});
const node: KubernetesObject = {
  apiVersion: 'v1',
  kind: 'Node',
  metadata: {
    name: 'cp1',
    labels: { 'node-role.kubernetes.io/master': '' },
    annotations: { 'remuda.dev/config': 'd1' },
  },
  spec: { taints: [{ key: 'k', effect: 'NoSchedule' }] },
  status: {
    conditions: [{ type: 'Ready', status: 'False', reason: 'KubeletNotReady', message: 'cni is missing' }],
    addresses: [{ type: 'InternalIP', address: '10.0.0.1' }],
    nodeInfo: { kubeletVersion: 'v1.20.2' },
  },
};

/** Fake ports that answer from a table and count; a question must not touch anything else. */
function fakePorts(
  over: { readonly api?: boolean; readonly provider?: boolean; readonly keys?: boolean } = {},
) {
  const calls: string[] = [];
  const say = async <T>(name: string, answer: T, isThere = true): Promise<T> => {
    calls.push(name);
    if (!isThere) throw new Transient('T-1', `${name} does not answer`);
    return answer;
  };
  const ports = {
    provider: {
      infrastructure: {
        observe: () => say('infrastructure', { state: 'present', detail: 'bridge' }, over.provider),
      },
      machines: {
        list: () =>
          say('machines', [machine('cp1', 'control-plane'), machine('w1', 'worker')], over.provider),
      },
      ledger: () =>
        say('ledger', [
          { type: 'machine', id: '1', name: 'a' },
          { type: 'disk', id: '2', name: 'b', policy: 'deletion.volumes: retain' },
        ]),
    },
    kubernetes: {
      version: (_access: unknown, { name }: { name: string }) =>
        say(`version ${name}`, over.api === false ? undefined : 'v1.20.2'),
      list: () => say('nodes', [node]),
      get: () => say('marks', { ...node, data: { network: 'd2' } }),
    },
    host: {
      certificates: ({ name }: { name: string }) =>
        say(
          `certificates ${name}`,
          [
            {
              name: 'apiserver',
              notAfter: '2027-11-21T00:00:00.000Z',
              fingerprint: 'ab',
              issuer: 'kubernetes',
            },
          ],
          over.api,
        ),
    },
    etcd: { members: () => say('members', [], over.api) },
    secrets: {
      async clusterKeys() {
        if (over.keys === false)
          throw new Blocked('SECRET-012', 'This agent cannot open the keys.', { remedy: 'Seal them to it.' });
      },
    },
  };
  // Only what the questions use is there: anything else they touch throws.
  return { calls, ports: ports as never as Ports };
}

function ask(fake: ReturnType<typeof fakePorts>) {
  return createQuestions({
    ports: () => fake.ports,
    steps: new Map(steps.map((step) => [step.kind, step])),
    supply: { list: async () => [] },
    clock: systemClock,
    epoch: 1,
  });
}

describe('observing for a plan', () => {
  const references = { cp1: reference('cp1'), w1: reference('w1') };

  it('sees everything in a constant number of calls, asking masters only', async () => {
    const fake = fakePorts();
    const seen = await ask(fake).observe({ context: withKeys, references, apiPort: 6444 });
    expect(fake.calls.sort()).toEqual([
      'certificates cp1',
      'infrastructure',
      'machines',
      'marks',
      'members',
      'nodes',
      'version cp1',
    ]);
    expect(seen).toMatchObject({ apiVersion: 'v1.20.2', voters: [], marks: { network: 'd2' }, unseen: [] });
    expect(seen.certificates).toEqual([
      { machine: 'cp1', name: 'apiserver', notAfter: '2027-11-21T00:00:00.000Z', issuer: 'kubernetes' },
    ]);
    expect(seen.nodes).toEqual([
      {
        name: 'cp1',
        ready: false,
        notReadyBecause: 'KubeletNotReady: cni is missing',
        unschedulable: false,
        kubeletVersion: 'v1.20.2',
        controlPlane: true,
        internalAddress: '10.0.0.1',
        configDigest: 'd1',
        labels: { 'node-role.kubernetes.io/master': '' },
        taints: [{ key: 'k', effect: 'NoSchedule' }],
      },
    ]);
  });

  it('leaves out what it could not see and says why: absent is never zero', async () => {
    const fake = fakePorts({ api: false, provider: false });
    const seen = await ask(fake).observe({ context: withKeys, references, apiPort: 6444 });
    expect(seen.infrastructure.state).toBe('unknown');
    for (const part of ['machines', 'nodes', 'voters', 'apiVersion', 'marks', 'certificates'])
      expect(seen).not.toHaveProperty(part);
    expect(seen.unseen.join('\n')).toMatch(/machines.*No API server.*etcd/su);
  });

  it('says that the keys are sealed to another agent, and knocks nowhere without them', async () => {
    const fake = fakePorts({ keys: false });
    const seen = await ask(fake).observe({ context: withKeys, references, apiPort: 6444 });
    expect(fake.calls.sort()).toEqual(['infrastructure', 'machines']);
    expect(seen.unseen).toEqual([
      'Nodes and etcd were not looked at: This agent cannot open the keys. Seal them to it.',
    ]);
  });

  it('does not knock at a cluster that was never met', async () => {
    const fake = fakePorts();
    const seen = await ask(fake).observe({ context, references: {}, apiPort: 6444 });
    expect(fake.calls.sort()).toEqual(['infrastructure', 'machines']);
    expect(seen.unseen).toHaveLength(1);
  });
});

describe('the other questions', () => {
  it('draws keys sealed to all recipients, and shows their public half', async () => {
    const [agent, recovery] = [await drawIdentity(), await drawIdentity()];
    const recipients = [await recipientOf(agent), await recipientOf(recovery)];
    const drawn = await ask(fakePorts()).drawKeys({ cluster: context.cluster, recipients });
    for (const identity of [agent, recovery]) {
      const keys = clusterKeysSchema.parse(JSON.parse(await open(identity, drawn.sealed, 'keys')));
      expect(keys.sshPublicKey).toBe(drawn.public.sshPublicKey);
    }
    expect(JSON.stringify(drawn)).not.toContain('PRIVATE');
  });

  it('parts the ledger into what is kept by policy and what is there', async () => {
    const proof = await ask(fakePorts()).ledger({ context });
    expect(proof.kept.map(({ name }) => name)).toEqual(['b']);
    expect(proof.left.map(({ name }) => name)).toEqual(['a']);
  });

  it('issues no credential for a broken request', async () => {
    const { request } = await requestCertificate();
    const fake = fakePorts();
    const questions = ask(fake);
    const wish = { context, user: 'ada', groups: ['system:masters'], request, seconds: 60 };
    await expect(questions.issueCredential(wish)).rejects.toThrow();
  });
});

describe('checks without an operation (DESIGN §7)', () => {
  const payload = {
    id: 'payload.preflight/cluster',
    kind: 'payload.preflight',
    version: 1,
    input: { kubernetesVersion: 'v1.20.2', wantedImages: ['registry/a:1'] },
  };
  const room = {
    id: 'provider.preflight/cluster',
    kind: 'provider.preflight',
    version: 1,
    input: { machines: [{ name: 'cp1', cpus: 2, memory: 2 }], bypass: ['LAB-CPU'] },
  };
  const finding = (check: string, severity: 'strict' | 'bypassable') => ({
    check,
    severity,
    outcome: 'failed' as const,
    subject: 'cluster',
    saw: 'too little',
    remedy: 'give more',
  });

  it('answers every finding of a check at once, failed and bypassed ones too, without waiting', async () => {
    const { ports } = fakePorts();
    const found = [finding('LAB-MEMORY', 'strict'), finding('LAB-CPU', 'bypassable')];
    const over = {
      ...ports,
      provider: { ...ports.provider, preflight: async () => found },
      payload: { summary: () => Promise.reject(new Transient('T-2', 'the cache is away')) },
    };
    const questions = ask({ calls: [], ports: over as never as Ports });
    const [first, second] = await questions.preflight({ context, steps: [room, payload] });
    expect(first).toEqual({
      step: room.id,
      findings: [found[0], { ...found[1], outcome: 'bypassed' }],
    });
    expect(second).toMatchObject({ step: payload.id, findings: [], problem: { code: 'T-2' } });
  });

  it('looks at nothing that is no check', async () => {
    const step = { ...room, kind: 'infrastructure.remove', input: {} };
    const [only] = await ask(fakePorts()).preflight({ context, steps: [step] });
    expect(only?.problem?.summary).toContain('no check that this agent knows');
  });
});
