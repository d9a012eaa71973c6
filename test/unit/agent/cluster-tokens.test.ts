import { describe, expect, test } from 'vitest';
import { createTokenQuestions } from '../../../appliance/agent/cluster-tokens.ts';
import type { PortsFactory } from '../../../appliance/agent/work.ts';
import type {
  KubernetesObject,
  KubernetesPort,
  ObjectReference,
} from '../../../provisioners/contract/ports/kubernetes.ts';

/** A fake of the one port that is used: it keeps objects and the order of what was asked. */
function fakeCluster(hasTokens = true) {
  const objects = new Map<string, KubernetesObject>();
  const done: string[] = [];
  let onApplied: (object: KubernetesObject) => void = () => {};
  const keyOf = ({ kind, namespace = '', name }: ObjectReference): string => `${kind} ${namespace} ${name}`;
  const kubernetes: Pick<KubernetesPort, 'get' | 'apply' | 'remove' | 'requestToken'> = {
    async apply(_access, given) {
      for (const object of given) {
        const { namespace, name } = object.metadata;
        const reference = { ...object, name, ...(namespace === undefined ? {} : { namespace }) };
        done.push(`apply ${keyOf(reference)}`);
        objects.set(keyOf(reference), object);
        onApplied(object);
      }
    },
    get: async (_access, reference) => objects.get(keyOf(reference)),
    async remove(_access, reference) {
      done.push(`remove ${keyOf(reference)}`);
      objects.delete(keyOf(reference));
    },
    ...(hasTokens
      ? {
          requestToken: async (
            _access: unknown,
            { namespace, name }: { namespace: string; name: string },
            seconds: number,
          ) => ({
            token: `token of ${namespace}/${name}`,
            expiresAt: new Date(seconds * 1000).toISOString(),
          }),
        }
      : {}),
  };
  const ports = (() => ({ kubernetes })) as never as PortsFactory;
  const watch = (listener: typeof onApplied): (() => void) => {
    onApplied = listener;
    return () => {
      onApplied = () => {};
    };
  };
  return { objects, done, watch, questions: createTokenQuestions({ ports, epoch: 1 }) };
}

const account = {
  context: {
    cluster: { uid: 'u', name: 'demo' },
    provider: { name: 'lab', type: 'lab', config: {} },
    secrets: {},
  },
  masters: [],
  apiPort: 6443,
  id: 'abc123',
} as const;

describe('E1: tokens of people inside clusters', () => {
  test('each is of an account of its own, bound to the role, with the person named', async () => {
    const { questions, objects } = fakeCluster();
    const request = { ...account, principal: 'user:alice', role: 'view', seconds: 86_400 };
    expect(await questions['cluster.token'](request)).toEqual({
      token: 'token of remuda-access/person-abc123',
      expiresAt: '1970-01-02T00:00:00.000Z',
    });
    // Asked again after a lost answer: the same account, no second one.
    await questions['cluster.token'](request);
    expect([...objects.keys()]).toEqual([
      'Namespace  remuda-access',
      'ServiceAccount remuda-access person-abc123',
      'ClusterRoleBinding  remuda:person-abc123',
    ]);
    expect(objects.get('ClusterRoleBinding  remuda:person-abc123')).toMatchObject({
      metadata: { annotations: { 'remuda.dev/principal': 'user:alice' } },
      roleRef: { kind: 'ClusterRole', name: 'view' },
      subjects: [{ kind: 'ServiceAccount', name: 'person-abc123', namespace: 'remuda-access' }],
    });
    expect(objects.get('ServiceAccount remuda-access person-abc123')).toMatchObject({
      automountServiceAccountToken: false,
    });
  });

  test('revoking takes the rights away before anything else, and once more is no mistake', async () => {
    const { questions, objects, done, watch } = fakeCluster();
    await questions['cluster.token']({ ...account, principal: 'user:alice', role: 'view', seconds: 60 });
    done.length = 0;
    const taken: unknown[] = [];
    const stop = watch((object) => taken.push(object['subjects']));
    await questions['cluster.revoke-token'](account);
    stop();
    await questions['cluster.revoke-token'](account);
    expect(done[0]).toBe('apply ClusterRoleBinding  remuda:person-abc123');
    expect(taken).toEqual([[]]);
    expect([...objects.keys()]).toEqual(['Namespace  remuda-access']);
  });

  test('a role that is not one of ours makes nothing, and neither does a cluster without tokens', async () => {
    const real = fakeCluster();
    const asked = { ...account, principal: 'user:alice', seconds: 60 };
    await expect(real.questions['cluster.token']({ ...asked, role: 'system:masters' })).rejects.toThrow(
      /No token is given/,
    );
    const bare = fakeCluster(false);
    await expect(bare.questions['cluster.token']({ ...asked, role: 'view' })).rejects.toThrow(
      /No token is given/,
    );
    expect([real.done, bare.done]).toEqual([[], []]);
  });
});
