import { afterAll, beforeAll } from 'vitest';
import { type ComponentBench, componentSuite } from '../contract/components.ts';
import { type DrainBench, drainSuite } from '../contract/drain.ts';
import { type EtcdBench, etcdSuite } from '../contract/etcd.ts';
import { kubernetesSuite } from '../contract/kubernetes.ts';
import { bootLabBench } from './contract-bench.ts';
import { startControlPlane } from './contract-control-plane.ts';

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
etcdSuite('lab', borrow);
