import { afterAll, beforeAll } from 'vitest';
import { type ComponentBench, componentSuite } from '../contract/components.ts';
import { type DrainBench, drainSuite } from '../contract/drain.ts';
import { type EtcdBench, etcdSuite } from '../contract/etcd.ts';
import { kubernetesSuite } from '../contract/kubernetes.ts';
import { bootLabBench } from './contract-bench.ts';
import { startControlPlane } from './contract-control-plane.ts';
import { until } from './story/wait.ts';

let bench: EtcdBench & ComponentBench & DrainBench;
beforeAll(async () => {
  bench = await startControlPlane(await bootLabBench(['m1', 'm2', 'm3']));
});
afterAll(() => bench?.stop());

/** The etcd suite is last: it takes members away. */
const borrow = async () => ({ ...bench, stop: async () => {} });
kubernetesSuite('lab', 'v1.20.2', borrow);
drainSuite('lab', borrow);
componentSuite('lab', borrow);
etcdSuite('lab', async () => {
  // The suite before restarted a member.
  const { etcd } = bench.ports();
  await until('three healthy members', async () => {
    const members = await etcd.members(bench.access);
    return members.filter(({ healthy }) => healthy).length === 3;
  });
  return borrow();
});
