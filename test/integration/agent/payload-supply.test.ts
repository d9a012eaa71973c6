import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { PayloadSupply } from '../../../appliance/agent/payload-supply.ts';
import type { StepContext } from '../../../provisioners/contract/step.ts';
import { payloadPreflight } from '../../../provisioners/kubernetes/preflight/payload-preflight.ts';
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

describe('payload.preflight over what is really on board (H5, complaint 14)', () => {
  const look = (): Promise<unknown> => {
    const agent = supply();
    // The step uses this port and no other; a missing one fails the test by name.
    const parts: Partial<Record<keyof StepContext, unknown>> = {
      payload: {
        summary: async (version: string) => {
          const { manifest, digest } = await agent.find(version);
          return { ...manifest, digest, images: manifest.images.map(({ reference }) => reference) };
        },
      },
    };
    return payloadPreflight.observe(parts as StepContext, { kubernetesVersion: 'v1.20.2', wantedImages: [] });
  };

  test('an intact one passes every check', async () => {
    await bring(8);
    expect(await look()).toMatchObject({ state: 'done' });
  });

  test('a changed byte is refused before any machine is made, naming the part and what to do', async () => {
    await writeFile(join(await bring(8), 'files/kubeadm'), 'the kubeadm Binary');
    expect(await look()).toMatchObject({
      state: 'blocked',
      why: expect.stringMatching(/files\/kubeadm.*\[PAYLOAD-DIGESTS\]/),
      remedy: expect.stringContaining('build or fetch the payload again'),
    });
  });

  test('one with a changed manifest is not called absent without a word', async () => {
    await writeFile(join(await bring(8), 'manifest.json'), '{}');
    expect(await look()).toMatchObject({
      state: 'blocked',
      why: expect.stringContaining('PAYLOAD-ON-BOARD'),
    });
    await expect(supply().find('v1.20.2')).rejects.toMatchObject({
      report: { code: 'PAYLOAD-022', summary: expect.stringMatching(/not trusted: build-8 \(/) },
    });
  });
});
