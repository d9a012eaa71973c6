import { afterAll, beforeAll } from 'vitest';
import { kubeadmSuite } from '../contract/kubeadm.ts';
import { payloadSuite } from '../contract/payload.ts';
import { bootLabBench, type LabBench } from './contract-bench.ts';

let lab: LabBench;
beforeAll(async () => {
  lab = await bootLabBench();
});
afterAll(() => lab?.stop());

/** kubeadm comes with the payload, so the payload's suite is first. */
const borrow = async () => ({ ...lab, stop: async () => {} });
payloadSuite('lab', 'v1.20.2', borrow);
kubeadmSuite('lab', borrow);
