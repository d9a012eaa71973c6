import { describe, expect, it } from 'vitest';
import type {
  KubernetesObject,
  KubernetesPort,
  PodReference,
} from '../../../provisioners/contract/ports/kubernetes.ts';
import type { ServicePort, ServiceState } from '../../../provisioners/contract/ports/service.ts';
import { Transient } from '../../../provisioners/contract/problem.ts';
import type { StepContext } from '../../../provisioners/contract/step.ts';
import { watchesRenew } from '../../../provisioners/kubernetes/steps/watches-renew.ts';

const since = '2026-11-21T05:00:00Z';
const before = '2026-11-20T05:00:00Z';
const after = '2026-11-21T05:01:00Z';

const pod = (name: string, creationTimestamp: string, more: object = {}): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name,
    namespace: 'kube-system',
    uid: `uid-${name}`,
    creationTimestamp,
    ownerReferences: [{ kind: 'DaemonSet', name: 'x' }],
    ...more,
  },
});

const machine = (name: string) => ({ name, address: '10.0.0.1', port: 22, user: 'root', hostKeys: ['k'] });
const input = (isBumped: boolean) => ({
  access: { masters: [machine('m1')], apiPort: 6443 },
  machines: [machine('m1'), machine('w1'), machine('w2')],
  since,
  isBumped,
});

/** A fake world: kubelets by when they started, and pods. Only what the step asks for is there. */
function fakeWorld(kubelets: Record<string, string | undefined>, pods: KubernetesObject[]) {
  const restarted: string[] = [];
  const deleted: string[] = [];
  const told: string[] = [];
  const service: Partial<ServicePort> = {
    state: async ({ name }: { name: string }): Promise<ServiceState[]> => {
      const started = kubelets[name];
      if (started === undefined) throw new Transient('HOST-001', `${name} does not answer`);
      return [{ unit: 'kubelet.service', active: true, enabled: true, detail: '', since: started }];
    },
    restart: async ({ name }: { name: string }) => {
      restarted.push(name);
      kubelets[name] = after;
    },
  };
  const kubernetes: Partial<KubernetesPort> = {
    list: async () => pods,
    deletePod: async (_access: unknown, { name }: PodReference) => {
      deleted.push(name);
      pods.splice(
        pods.findIndex(({ metadata }) => metadata.name === name),
        1,
      );
    },
  };
  const context: Partial<StepContext> = {
    log: (text) => told.push(text),
    service: service as ServicePort,
    kubernetes: kubernetes as KubernetesPort,
  };
  return { context: context as StepContext, restarted, deleted, told };
}

describe('watches.renew (complaint 8)', () => {
  it('restarts kubelets and pods of kube-system that are older than the data, once; names who is silent', async () => {
    const world = fakeWorld({ m1: after, w1: before }, [
      pod('kube-proxy', before),
      pod('fresh', after),
      pod('going', before, { deletionTimestamp: after }),
      pod('static', before, { annotations: { 'kubernetes.io/config.mirror': 'x' } }),
      pod('of-nobody', before, { ownerReferences: [] }),
    ]);
    expect(await watchesRenew.observe(world.context, input(false))).toMatchObject({ state: 'todo' });
    await watchesRenew.apply(world.context, input(false));
    expect(world.restarted).toEqual(['w1']);
    expect(world.deleted).toEqual(['kube-proxy']);
    expect(world.told.join()).toContain('w2 does not answer');
    expect(await watchesRenew.observe(world.context, input(false))).toEqual({
      state: 'done',
      facts: { unreached: ['w2'] },
    });
  });

  it('leaves pods alone where revisions were raised: whoever watches notices by himself', async () => {
    const world = fakeWorld({ m1: after, w1: before, w2: after }, [pod('kube-proxy', before)]);
    await watchesRenew.apply(world.context, input(true));
    expect(world.restarted).toEqual(['w1']);
    expect(world.deleted).toEqual([]);
    expect(await watchesRenew.observe(world.context, input(true))).toMatchObject({ state: 'done' });
  });
});
