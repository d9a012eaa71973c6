import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { type AssembledPayload, assemblePayload } from '../../../provisioners/payload/assemble.ts';
import { forgetStages } from '../../../provisioners/payload/build.ts';
import { type PayloadCache, payloadCache } from '../../../provisioners/payload/cache.ts';
import { endUse, markUse } from '../../../provisioners/payload/uses.ts';
import { PARTS, sampleManifest, temporaryFolder } from './sample.ts';

let cache: PayloadCache;
beforeEach(async () => {
  cache = payloadCache(await temporaryFolder());
});

/** Builds the sample; another letter is another recipe. */
function build(letter: string): Promise<AssembledPayload> {
  const { files, images } = sampleManifest();
  return assemblePayload(cache, {
    version: 'v1.20.2',
    flavour: 'lab',
    arch: 'amd64',
    provenance: 'A sample that no machine was ever made of.',
    contentKey: letter.repeat(64),
    fill: async (folder) => {
      for (const [path, text] of Object.entries(PARTS)) await writeFile(join(folder, path), text);
      return { files, images };
    },
    verify: (check) => check(() => {}),
  });
}

const built = (): Promise<readonly string[]> => readdir(cache.payloads);

test('a build leaves the newest payload of its name alone, and nothing half-made', async () => {
  await build('a');
  await mkdir(join(cache.payloads, '.kubernetes-v1.20.2-lab-cccccccccccc.tmp-0123abcd'));
  await build('b');
  expect(await built()).toEqual(['kubernetes-v1.20.2-lab-bbbbbbbbbbbb']);
});

test('a payload that a machine is being equipped from stays until that has ended', async () => {
  const { folder } = await build('a');
  await markUse(cache, folder, 'w-1 operation 7');
  await build('b');
  expect(await built()).toHaveLength(2);
  await endUse(cache, folder, 'w-1 operation 7');
  // Also a build that finds everything built already clears up.
  expect((await build('b')).isReused).toBe(true);
  expect(await built()).toEqual(['kubernetes-v1.20.2-lab-bbbbbbbbbbbb']);
});

test('stages of other recipes go, of whatever version; what the next build takes stays', async () => {
  const key = '0123456789ab';
  const kept = [`source-${key}`, `binaries-v1.20.3-${key}`, 'notes'];
  const old = ['source-ffffffffffff', 'binaries-v1.20.2-ffffffffffff', `.root-${key}.tmp-0123abcd`];
  for (const name of [...kept, ...old]) await mkdir(join(cache.stages, name), { recursive: true });
  await forgetStages(
    cache,
    kept.map((name) => join(cache.stages, name)),
  );
  expect((await readdir(cache.stages)).sort()).toEqual([...kept].sort());
});
