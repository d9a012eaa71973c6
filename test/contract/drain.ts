import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KubernetesObject, PodReference } from '../../provisioners/contract/ports/kubernetes.ts';
import { cordonOf } from '../../provisioners/kubernetes/cordon.ts';
import type { ControlPlaneBench } from './bench.ts';

/** A control plane, and others who have a hand in it: a person with kubectl, a kubelet. */
export interface DrainBench extends ControlPlaneBench {
  /** Somebody cordons a Node or releases it, as kubectl does. */
  cordonAsSomebody(node: string, isUnschedulable: boolean): Promise<void>;
  /** What a kubelet says of a pod that runs. */
  reportRunning(pod: { readonly namespace: string; readonly name: string }): Promise<void>;
}

const namespace = 'default';
const node = 'contract-node';
const mark = 'remuda.dev/cordoned-by';
const nodeReference = { apiVersion: 'v1', kind: 'Node', name: node } as const;

const podNamed = (name: string, nodeName = node): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace, labels: { app: name } },
  spec: {
    nodeName,
    automountServiceAccountToken: false,
    containers: [{ name: 'main', image: 'example.com/none' }],
  },
});

const budgetNamed = (name: string, app: string): KubernetesObject => ({
  apiVersion: 'policy/v1beta1',
  kind: 'PodDisruptionBudget',
  metadata: { name, namespace },
  spec: { minAvailable: 1, selector: { matchLabels: { app } } },
});

/** What a drain needs of a KubernetesPort, against an API server alone: no kubelet, no controllers. */
export function drainSuite(name: string, makeBench: () => Promise<DrainBench>): void {
  describe(`kubernetes port, drain, ${name}`, () => {
    let bench: DrainBench;
    beforeAll(async () => {
      bench = await makeBench();
      // Both are made by controllers where there are any.
      await bench.ports().kubernetes.apply(bench.access, [
        { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace } },
        // With a field of ours, as node.label leaves every Node: 1.20 keeps account of writers only then.
        { apiVersion: 'v1', kind: 'Node', metadata: { name: node, labels: { contract: 'yes' } } },
      ]);
    });
    afterAll(() => bench?.stop());

    const read = async (): Promise<KubernetesObject> => {
      const found = await bench.ports().kubernetes.get(bench.access, nodeReference);
      if (found === undefined) throw new Error('no Node');
      return found;
    };
    const versionOf = (object: KubernetesObject) => ({
      name: node,
      resourceVersion: String(object.metadata['resourceVersion']),
    });
    const podOf = (reference: { readonly name: string }): Promise<KubernetesObject | undefined> =>
      bench
        .ports()
        .kubernetes.get(bench.access, { apiVersion: 'v1', kind: 'Pod', namespace, name: reference.name });
    const makePod = async (pod: string, nodeName?: string): Promise<PodReference> => {
      await bench.ports().kubernetes.apply(bench.access, [podNamed(pod, nodeName)]);
      return { namespace, name: pod, uid: String((await podOf({ name: pod }))?.metadata['uid']) };
    };
    /** Told to go: without a kubelet it may stay for ever. */
    const isGoing = async (pod: PodReference): Promise<boolean> => {
      const found = await podOf(pod);
      return found === undefined || found.metadata['deletionTimestamp'] !== undefined;
    };

    it('cordons and marks in one update, releases in one, and knows whose it is', async () => {
      const { kubernetes } = bench.ports();
      expect(cordonOf(await read())).toEqual({ state: 'none' });
      const set = await kubernetes.setUnschedulable(bench.access, versionOf(await read()), true, {
        [mark]: 'op',
      });
      expect(set).toBe('set');
      expect(await read()).toMatchObject({ spec: { unschedulable: true } });
      expect(cordonOf(await read())).toEqual({ state: 'ours', by: 'op' });
      await kubernetes.setUnschedulable(bench.access, versionOf(await read()), false, { [mark]: null });
      expect(cordonOf(await read())).toEqual({ state: 'none' });
      expect((await read()).metadata.annotations?.[mark]).toBeUndefined();
    });

    it('changes nothing of a Node that somebody changed meanwhile, or that is gone', async () => {
      const { kubernetes } = bench.ports();
      const old = versionOf(await read());
      await bench.cordonAsSomebody(node, true);
      expect(await kubernetes.setUnschedulable(bench.access, old, false, { [mark]: 'op' })).toBe('outdated');
      expect((await read()).metadata.annotations?.[mark]).toBeUndefined();
      expect(cordonOf(await read())).toEqual({ state: 'theirs' });
      await bench.cordonAsSomebody(node, false);
      const gone = { ...old, name: 'no-such-node' };
      expect(await kubernetes.setUnschedulable(bench.access, gone, true, {})).toBe('outdated');
    });

    it('takes a cordon that was set by hand for theirs, even under our old mark (complaint 9)', async () => {
      const { kubernetes } = bench.ports();
      await kubernetes.setUnschedulable(bench.access, versionOf(await read()), true, { [mark]: 'op' });
      await bench.cordonAsSomebody(node, true);
      expect(cordonOf(await read())).toEqual({ state: 'ours', by: 'op' });
      await bench.cordonAsSomebody(node, false);
      await bench.cordonAsSomebody(node, true);
      expect(cordonOf(await read())).toEqual({ state: 'theirs' });
      // A mark that is put beside their cordon does not make it ours.
      await kubernetes.setUnschedulable(bench.access, versionOf(await read()), true, { [mark]: 'op-2' });
      expect(cordonOf(await read())).toEqual({ state: 'theirs' });
      await bench.cordonAsSomebody(node, false);
      await kubernetes.setUnschedulable(bench.access, versionOf(await read()), false, { [mark]: null });
    });

    it('lists the pods of one node', async () => {
      await makePod('here');
      await makePod('elsewhere', 'another-node');
      const pods = await bench.ports().kubernetes.list(bench.access, {
        apiVersion: 'v1',
        kind: 'Pod',
        namespace,
        fieldSelector: `spec.nodeName=${node}`,
      });
      expect(pods.map(({ metadata }) => metadata.name)).toEqual(['here']);
    });

    it('evicts one very pod; gone, or another of its name, is evicted', async () => {
      const { kubernetes } = bench.ports();
      const pod = await makePod('evicted');
      expect(await kubernetes.evict(bench.access, { ...pod, uid: 'another' })).toEqual({ state: 'evicted' });
      expect(await isGoing(pod)).toBe(false);
      expect(await kubernetes.evict(bench.access, pod)).toEqual({ state: 'evicted' });
      expect(await isGoing(pod)).toBe(true);
      expect(await kubernetes.evict(bench.access, pod, 60_000)).toEqual({ state: 'evicted' });
      expect(await kubernetes.evict(bench.access, { ...pod, name: 'nobody' })).toEqual({ state: 'evicted' });
    });

    it('passes on why a budget refuses, and that several do', async () => {
      const { kubernetes } = bench.ports();
      const pod = await makePod('guarded');
      await bench.reportRunning(pod);
      await kubernetes.apply(bench.access, [budgetNamed('guard', 'guarded')]);
      const refused = await kubernetes.evict(bench.access, pod);
      expect(refused).toMatchObject({
        state: 'refused',
        why: expect.stringMatching(/disruption budget.*guard/u),
      });
      expect((await kubernetes.disruptionBudgets(bench.access)).map(({ metadata }) => metadata.name)).toEqual(
        ['guard'],
      );
      await kubernetes.apply(bench.access, [budgetNamed('guard-2', 'guarded')]);
      expect(await kubernetes.evict(bench.access, pod)).toMatchObject({
        state: 'refused',
        why: expect.stringMatching(/more than one PodDisruptionBudget/u),
      });
      expect(await isGoing(pod)).toBe(false);
      await kubernetes.deletePod(bench.access, { ...pod, uid: 'another' });
      expect(await isGoing(pod)).toBe(false);
      await kubernetes.deletePod(bench.access, pod);
      expect(await isGoing(pod)).toBe(true);
    });

    it('takes a pod out of the API at once with no grace', async () => {
      const { kubernetes } = bench.ports();
      const pod = await makePod('buried');
      await kubernetes.deletePod(bench.access, pod, 0);
      expect(await podOf(pod)).toBeUndefined();
      await kubernetes.deletePod(bench.access, pod, 0);
    });
  });
}
