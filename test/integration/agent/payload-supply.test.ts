import { cp, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { PayloadSupply } from '../../../appliance/agent/payload-supply.ts';
import { type PayloadCache, payloadCache } from '../../../provisioners/payload/cache.ts';
import { newKey, temporaryFolder, writeSample } from '../../unit/payload/sample.ts';

const key = newKey('the test');
let cache: PayloadCache;
let stateFolder: string;
beforeEach(async () => {
  cache = payloadCache(await temporaryFolder());
  stateFolder = await temporaryFolder();
});

/** An agent that has just started. */
const supply = (): PayloadSupply => new PayloadSupply({ cache, stateFolder, trusted: async () => [key] });

async function bring(sequence: number): Promise<string> {
  const folder = join(cache.payloads, `build-${sequence}`);
  await mkdir(cache.payloads, { recursive: true });
  await cp(await writeSample(key, sequence), folder, { recursive: true });
  return folder;
}

test('an agent refuses a payload older than one it accepted, also after a restart and an emptied cache (DESIGN §8)', async () => {
  await bring(8);
  expect((await supply().find('v1.20.2')).manifest.sequence).toBe(8);
  await rm(cache.payloads, { recursive: true });
  await rm(cache.verified, { recursive: true });
  await bring(7);
  const restarted = supply();
  await expect(restarted.find('v1.20.2')).rejects.toMatchObject({ report: { code: 'PAYLOAD-020' } });
  expect(await restarted.list()).toEqual([]);
  await bring(9);
  expect((await restarted.find('v1.20.2')).manifest.sequence).toBe(9);
});

test('an agent that never stopped refuses a payload it had itself found intact before a newer one', async () => {
  await bring(7);
  const agent = supply();
  await agent.find('v1.20.2');
  const newer = await bring(8);
  await agent.find('v1.20.2');
  await rm(newer, { recursive: true });
  await expect(agent.find('v1.20.2')).rejects.toMatchObject({ report: { code: 'PAYLOAD-020' } });
});

test('of two builds of one version the newest is listed, once', async () => {
  await bring(7);
  await bring(8);
  const newest = await supply().find('v1.20.2');
  expect(await supply().list()).toMatchObject([{ name: 'kubernetes-v1.20.2-lab', digest: newest.digest }]);
  expect(await supply().list()).toHaveLength(1);
});
