import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../appliance/agent/clock.ts';
import type { KubernetesObject } from '../../provisioners/contract/ports/kubernetes.ts';
import type { Ports } from '../../provisioners/contract/ports.ts';
import type { MachineProvider, Provider, ProviderMachine } from '../../provisioners/contract/provider.ts';
import { claimsRelease } from '../../provisioners/kubernetes/steps/claims-release.ts';
import { newWorkAdmit, newWorkRefuse } from '../../provisioners/kubernetes/steps/new-work-refuse.ts';
import { servicesRelease } from '../../provisioners/kubernetes/steps/services-release.ts';
import { startStep, waitOf } from '../fleet/running-step.ts';
import { FakeKubelet } from './fake-kubelet.ts';
import { LoopbackCluster } from './loopback-cluster.ts';

const policy = { whenBlocked: 'wait', skipAfter: 600_000 } as const;
const shop = 'shop';

/** The machine of the only Node, as its provider has it. */
const w1: ProviderMachine = {
  name: 'w1',
  token: 't',
  incarnation: 1,
  cluster: { uid: 'u1', name: 'demo' },
  role: 'worker',
  id: 'i-1',
  state: 'running',
};

const service = (name: string, more: object = {}): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: shop, ...more },
  spec: { type: 'LoadBalancer', ports: [{ port: 80, protocol: 'TCP' }], selector: { app: name } },
});

/** A volume of somebody's server, bound to its claim; nobody mounts it here. */
const volume = (name: string, claim: string, source: object): KubernetesObject[] => [
  {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name },
    spec: {
      capacity: { storage: '1Gi' },
      accessModes: ['ReadWriteMany'],
      persistentVolumeReclaimPolicy: 'Delete',
      storageClassName: 'by-hand',
      claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace: shop, name: claim },
      ...source,
    },
  },
  {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: claim, namespace: shop },
    spec: {
      accessModes: ['ReadWriteMany'],
      storageClassName: 'by-hand',
      volumeName: name,
      resources: { requests: { storage: '1Gi' } },
    },
  },
];

describe('what a cluster has outside of its machines, against a real control plane (complaint 16)', () => {
  const cluster = new LoopbackCluster();
  const folder = mkdtempSync(join(tmpdir(), 'remuda-objects-'));
  let kubelet: FakeKubelet | undefined;
  let attempts = 0;

  beforeAll(async () => {
    await cluster.start();
    kubelet = new FakeKubelet('w1', cluster.kubernetes, cluster.access, (path, status) =>
      cluster.patchStatus(path, status),
    );
    await kubelet.start();
    await cluster.kubernetes.apply(cluster.access, [
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: shop } },
      { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: shop } },
    ]);
  });
  afterAll(async () => {
    await kubelet?.stop();
    await cluster.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const start = (kind: string, more: object = {}, operation = 'op-1') =>
    startStep({
      steps: [newWorkRefuse, newWorkAdmit, servicesRelease, claimsRelease],
      kind,
      input: { access: cluster.access, ...more },
      cluster: { uid: 'u1', name: 'demo' },
      operation,
      attempt: (attempts += 1),
      clock: systemClock,
      // Of other ports these steps ask but whether the machine of a pod runs.
      ports: () => {
        const machines: Partial<MachineProvider> = { list: async () => [w1] };
        const provider: Partial<Provider> = { machines: machines as MachineProvider };
        return { kubernetes: cluster.kubernetes, provider: provider as Provider } as Ports;
      },
    });
  const apply = (objects: readonly KubernetesObject[]): Promise<void> =>
    cluster.kubernetes.apply(cluster.access, objects);
  /** As people do it: what Remuda applied itself it would take back where it names less later. */
  const create = (objects: readonly KubernetesObject[]): void => {
    for (const object of objects) {
      const file = join(folder, 'object.json');
      writeFileSync(file, JSON.stringify(object));
      cluster.kubectl('create', '-f', file);
    }
  };
  const found = (kind: string, name: string, namespace?: string) =>
    cluster.kubernetes.get(cluster.access, {
      apiVersion: 'v1',
      kind,
      name,
      ...(namespace === undefined ? {} : { namespace }),
    });
  const phaseOf = async (kind: string, name: string, namespace?: string): Promise<unknown> =>
    ((await found(kind, name, namespace))?.['status'] as { readonly phase?: string } | undefined)?.phase;
  /** What kubectl says to somebody who wants another Service. */
  const askForService = (name: string): string => {
    try {
      return cluster.kubectl('-n', shop, 'create', 'service', 'loadbalancer', name, '--tcp=80');
    } catch (error) {
      return String((error as { readonly stderr?: unknown }).stderr);
    }
  };

  it('lets no new Service come, and says why; what is there may be changed, and all may when it is over', async () => {
    await apply([service('before')]);
    await start('new-work.refuse').ended;
    await expect.poll(() => askForService('late')).toMatch(/this-cluster-is-being-deleted/u);
    cluster.kubectl('-n', shop, 'annotate', 'service', 'before', 'changed=yes');
    await start('new-work.admit').ended;
    await expect.poll(() => askForService('after')).toMatch(/service\/after created/u);
    expect(await start('services.release', { policy }).ended).toMatchObject({
      state: 'succeeded',
      facts: { lists: { of: 'balancers', left: [] } },
    });
    expect(await found('Service', 'before', shop)).toBeUndefined();
  });

  it('waits for a finalizer with its name and whose it is, and goes on when it comes off', async () => {
    await apply([service('held', { finalizers: ['service.kubernetes.io/load-balancer-cleanup'] })]);
    const running = start('services.release', { policy }, 'op-2');
    await expect
      .poll(() => waitOf(running)?.lastSeen)
      .toMatch(/Service shop\/held .* cloud controller manager/u);
    const off = '{"metadata":{"finalizers":null}}';
    cluster.kubectl('-n', shop, 'patch', 'service', 'held', '--type=merge', '-p', off);
    expect(await running.ended).toMatchObject({
      state: 'succeeded',
      facts: {
        lists: { gone: expect.arrayContaining([expect.objectContaining({ name: 'of Service shop/held' })]) },
      },
    });
  });

  it('retain: the claim goes with the pod that uses it, the volume stays and is named by its handle', async () => {
    create(volume('kept', 'data', { nfs: { server: 'files.example', path: '/shop' } }));
    await expect.poll(() => phaseOf('PersistentVolumeClaim', 'data', shop)).toBe('Bound');
    await apply([
      {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'db', namespace: shop },
        spec: {
          nodeName: 'w1',
          automountServiceAccountToken: false,
          containers: [{ name: 'main', image: 'example.com/none' }],
          volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }],
        },
      },
    ]);
    await expect.poll(() => phaseOf('Pod', 'db', shop)).toBe('Running');
    expect(await start('claims.release', { policy, volumes: 'retain' }).ended).toMatchObject({
      state: 'succeeded',
      facts: {
        lists: {
          gone: [],
          kept: [{ type: 'volume', id: 'files.example:/shop', policy: 'deletion.volumes: retain' }],
          left: [],
        },
      },
    });
    expect(await found('PersistentVolumeClaim', 'data', shop)).toBeUndefined();
    expect(await found('Pod', 'db', shop)).toBeUndefined();
    await expect.poll(() => phaseOf('PersistentVolume', 'kept')).toBe('Released');
  });

  it('delete: says in its own words why a volume cannot be removed; skipped, it is left with that reason', async () => {
    create(volume('stuck', 'other', { nfs: { server: 'files.example', path: '/other' } }));
    await expect.poll(() => phaseOf('PersistentVolumeClaim', 'other', shop)).toBe('Bound');
    const skip = { whenBlocked: 'skip', skipAfter: 15_000 };
    const running = start('claims.release', { policy: skip, volumes: 'delete' }, 'op-3');
    await expect.poll(() => waitOf(running)?.lastSeen).toMatch(/stuck could not be removed: .*plugin/u);
    expect(await running.ended).toMatchObject({
      facts: {
        lists: {
          // It was told to outlive its claim before.
          kept: [{ id: 'files.example:/shop', policy: 'persistentVolumeReclaimPolicy: Retain' }],
          left: [{ id: 'files.example:/other', why: expect.stringMatching(/plugin/u) }],
        },
      },
    });
  });

  it('retain: a volume on the disk of a machine is a decision of a person', async () => {
    const nodeAffinity = {
      required: {
        nodeSelectorTerms: [
          { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: ['w1'] }] },
        ],
      },
    };
    create(volume('near', 'local', { local: { path: '/srv' }, nodeAffinity }));
    await expect.poll(() => phaseOf('PersistentVolumeClaim', 'local', shop)).toBe('Bound');
    const running = start('claims.release', { policy, volumes: 'retain' }, 'op-4');
    await expect.poll(() => waitOf(running)?.lastSeen).toMatch(/near of claim shop\/local \(local\)/u);
    expect(await phaseOf('PersistentVolumeClaim', 'local', shop)).toBe('Bound');
    running.cancel();
    await running.ended;
    // Somebody has removed by hand what no provisioner could.
    cluster.kubectl('delete', 'pv', 'stuck', '--wait=false');
    // Nobody waits for a provisioner of what goes with its machine (deckhouse#5989).
    expect(await start('claims.release', { policy, volumes: 'delete' }, 'op-5').ended).toMatchObject({
      state: 'succeeded',
    });
  });
});
