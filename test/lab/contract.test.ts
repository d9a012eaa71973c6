import { afterAll, beforeAll } from 'vitest';
import { fileSuite } from '../contract/file.ts';
import { hookScriptSuite, hookSuite } from '../contract/hooks.ts';
import { hostSuite } from '../contract/host.ts';
import { secretsSuite } from '../contract/secrets.ts';
import { serviceSuite } from '../contract/service.ts';
import { bootLabBench, type LabBench } from './contract-bench.ts';

let lab: LabBench;
beforeAll(async () => {
  lab = await bootLabBench();
});
afterAll(() => lab?.stop());

/** One host serves all suites; it is taken away at the very end. The host suite is last: it changes the host key. */
const borrow = async () => ({ ...lab, stop: async () => {} });
secretsSuite('lab', borrow);
fileSuite('lab', borrow);
serviceSuite('lab', borrow);
hookSuite('lab', borrow);
hookScriptSuite('lab', borrow);
hostSuite('lab', borrow);
