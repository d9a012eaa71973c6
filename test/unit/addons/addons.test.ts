import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { addonNamed, addons, versionFor } from '../../../provisioners/addons/addons.ts';
import { dnsServiceAddress } from '../../../provisioners/addons/dns/cluster-dns/addon.ts';
import { awaitedOf } from '../../../provisioners/addons/workload.ts';
import type { AddonInput } from '../../../provisioners/contract/addon.ts';
import type { KubernetesObject, KubernetesPort } from '../../../provisioners/contract/ports/kubernetes.ts';

const input: AddonInput = {
  kubernetesVersion: 'v1.20.2',
  podCidr: '10.244.0.0/16',
  serviceCidr: '10.96.0.0/12',
  serviceDomain: 'cluster.local',
  settings: {},
};

const workloadSchema = z.object({
  spec: z.object({
    template: z.object({
      spec: z.object({
        containers: z.array(
          z.object({
            image: z.string(),
            imagePullPolicy: z.string(),
            securityContext: z
              .object({ readOnlyRootFilesystem: z.boolean(), allowPrivilegeEscalation: z.boolean() })
              .loose(),
          }),
        ),
      }),
    }),
  }),
});

const containersOf = (object: KubernetesObject) =>
  workloadSchema.safeParse(object).data?.spec.template.spec.containers ?? [];

/** A stand-in for the API that answers from a fixed list of objects. */
function fakeApi(objects: readonly KubernetesObject[]): KubernetesPort {
  const refuse = (): never => {
    throw new Error('this fake only reads');
  };
  return {
    get: (_, { kind, name }) =>
      Promise.resolve(objects.find((object) => object.kind === kind && object.metadata.name === name)),
    list: (_, { kind }) => Promise.resolve(objects.filter((object) => object.kind === kind)),
    version: refuse,
    versionAtEndpoint: refuse,
    apply: refuse,
    markTemplate: refuse,
    remove: refuse,
    evict: refuse,
    deletePod: refuse,
    disruptionBudgets: refuse,
    setUnschedulable: refuse,
    podLog: refuse,
    throughService: refuse,
    decide: refuse,
  };
}

const access = { masters: [], apiPort: 6444 };
const workload = { kind: 'DaemonSet', namespace: 'kube-system', name: 'net', labelSelector: 'a=b' } as const;

describe('add-ons', () => {
  it.each(addons.map((addon) => [addon.name, addon] as const))(
    '%s names only images it declares, never pulls, and is hardened (complaint 14, H6)',
    (_, addon) => {
      for (const version of Object.keys(addon.versions)) {
        const containers = addon.manifests(version, input).flatMap(containersOf);
        expect(containers.length).toBeGreaterThan(0);
        for (const { image, imagePullPolicy, securityContext } of containers) {
          expect(addon.images(version)).toContain(image);
          expect(imagePullPolicy).toBe('Never');
          expect(securityContext).toMatchObject({
            readOnlyRootFilesystem: true,
            allowPrivilegeEscalation: false,
            capabilities: { drop: ['ALL'] },
          });
        }
      }
    },
  );

  it.each(addons.map((addon) => [addon.name, addon] as const))(
    '%s can be found again by label and kind when it is removed',
    (_, addon) => {
      const [key = '', value] = addon.selector.split('=');
      for (const object of addon.manifests(Object.keys(addon.versions)[0] ?? '', input)) {
        expect(object.metadata.labels?.[key]).toBe(value);
        expect(addon.kinds.map(({ kind }) => kind)).toContain(object.kind);
      }
    },
  );

  it.each(addons.map((addon) => [addon.name] as const))('%s brings the recipe of its image', (name) => {
    const recipe = join('provisioners/addons', name, 'image/recipe.json');
    expect(existsSync(recipe)).toBe(true);
    const { reference } = z.object({ reference: z.string() }).parse(JSON.parse(readFileSync(recipe, 'utf8')));
    expect(addonNamed(name)?.images('1')).toContain(reference);
  });

  it('installs the network before anything that needs it', () => {
    expect(addons[0]?.name).toMatch(/^network\//);
    expect(addonNamed('network/none')).toBeUndefined();
    expect(versionFor(addons[0] ?? expect.fail(), '1.20')).toBe('1');
    expect(versionFor(addons[0] ?? expect.fail(), '1.19')).toBeUndefined();
  });

  it("gives DNS the tenth address of the service network, as kubeadm's kubelets expect", () => {
    expect(dnsServiceAddress('10.96.0.0/12')).toBe('10.96.0.10');
    expect(dnsServiceAddress('172.20.4.0/24')).toBe('172.20.4.10');
  });
});

describe('awaitedOf: a wait that explains itself (complaint 1)', () => {
  const daemonSet = (status: object): KubernetesObject => ({
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name: 'net', namespace: 'kube-system', generation: 2 },
    spec: {},
    status,
  });

  it('is silent when every pod of the newest generation is ready', async () => {
    const status = {
      observedGeneration: 2,
      desiredNumberScheduled: 2,
      numberReady: 2,
      updatedNumberScheduled: 2,
    };
    expect(await awaitedOf(fakeApi([daemonSet(status)]), access, workload)).toEqual([]);
  });

  it('does not take an older generation for the new one', async () => {
    const status = {
      observedGeneration: 1,
      desiredNumberScheduled: 2,
      numberReady: 2,
      updatedNumberScheduled: 2,
    };
    expect(await awaitedOf(fakeApi([daemonSet(status)]), access, workload)).not.toEqual([]);
  });

  it('names the pod, its node and the reason Kubernetes gives', async () => {
    const status = {
      observedGeneration: 2,
      desiredNumberScheduled: 2,
      numberReady: 1,
      updatedNumberScheduled: 2,
    };
    const pod: KubernetesObject = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'net-x7' },
      spec: { nodeName: 'w2' },
      status: {
        conditions: [{ type: 'Ready', status: 'False' }],
        containerStatuses: [
          {
            ready: false,
            state: { waiting: { reason: 'ErrImageNeverPull', message: 'image "a:1" is not present' } },
          },
        ],
      },
    };
    expect(await awaitedOf(fakeApi([daemonSet(status), pod]), access, workload)).toEqual([
      'DaemonSet kube-system/net: 1 of 2 pods ready',
      'pod net-x7 on w2: image "a:1" is not present',
    ]);
  });

  it('says when there is nothing yet', async () => {
    expect(await awaitedOf(fakeApi([]), access, workload)).toEqual([
      'DaemonSet kube-system/net does not exist yet',
    ]);
  });
});
