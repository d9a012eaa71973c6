import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { buildNeeds } from '../../../provisioners/payload/build.ts';
import { addonImages } from '../../../provisioners/payload/addon-recipe.ts';
import { makeFolder, payloadCache, withBuildLock } from '../../../provisioners/payload/cache.ts';
import { buildImage, recipeText } from '../../../provisioners/payload/images.ts';
import { type ImageRecipe, run } from '../../../provisioners/payload/lab-recipe.ts';
import { type PayloadProgress, StageClock } from '../../../provisioners/payload/progress.ts';
import { closure, type DebianRoot, programPath } from '../../../provisioners/payload/rootfs.ts';
import { runTool } from '../../../provisioners/payload/tool.ts';
import { temporaryFolder } from '../../unit/payload/sample.ts';

const cacheModule = join(import.meta.dirname, '../../../provisioners/payload/cache.ts');

/** This machine's own files stand in for the unpacked Debian packages; both are merged below /usr. */
const isArm = process.arch === 'arm64';
const root: DebianRoot = {
  key: 'test',
  folder: '/',
  arch: isArm ? 'arm64' : 'amd64',
  triplet: isArm ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu',
  packages: [],
};

describe('interrupt and repeat (issue 2: cached, safe to interrupt and repeat)', () => {
  test('a folder whose making was killed does not exist, and the next run leaves nothing half-made', async () => {
    const parent = await temporaryFolder();
    const script = `import { makeFolder } from ${JSON.stringify(cacheModule)};
      import { writeFileSync } from 'node:fs';
      await makeFolder(process.argv[1] + '/stage', async (folder) => {
        writeFileSync(folder + '/half', 'x'); process.kill(process.pid, 'SIGKILL'); await new Promise(() => {}); });`;
    const killed = spawn(process.execPath, ['--input-type=module', '--eval', script, parent], {
      stdio: 'ignore',
    });
    await once(killed, 'exit');
    expect(await readdir(parent)).toEqual([expect.stringMatching(/^\.stage\.tmp-/)]);
    await makeFolder(join(parent, 'stage'), (folder) => writeFile(join(folder, 'whole'), 'x'));
    expect(await readdir(parent)).toEqual(['stage']);
    expect(await readdir(join(parent, 'stage'))).toEqual(['whole']);
    await makeFolder(join(parent, 'stage'), () => Promise.reject(new Error('made twice')));
  });

  test('two builders take turns, and a killed one leaves no lock', async () => {
    const { lock } = payloadCache(await temporaryFolder());
    const order: string[] = [];
    const turn = (name: string) => async (): Promise<void> => {
      order.push(`${name} begins`);
      await new Promise((resolve) => setTimeout(resolve, 50));
      order.push(`${name} ends`);
    };
    await Promise.all([withBuildLock(lock, turn('one')), withBuildLock(lock, turn('two'))]);
    expect(order[1]).toBe(order[0]?.replace('begins', 'ends'));
    const script = `import { withBuildLock } from ${JSON.stringify(cacheModule)};
      await withBuildLock(process.argv[1], async () => { console.log('held'); await new Promise((r) => setTimeout(r, 60_000)); });`;
    const holder = spawn(process.execPath, ['--input-type=module', '--eval', script, lock], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    await once(holder.stdout, 'data');
    let isWaiting = false;
    const next = withBuildLock(lock, turn('next'), () => {
      isWaiting = true;
    });
    await expect.poll(() => isWaiting, { timeout: 10_000 }).toBe(true);
    expect(order).not.toContain('next begins');
    holder.kill('SIGKILL');
    await next;
    expect(order).toContain('next ends');
  });

  test('a tool that fails says what was run and what it said last; one that is missing says how to get it', async () => {
    await expect(runTool('ls', ['/nonexistent-of-remuda'])).rejects.toMatchObject({
      report: {
        kind: 'blocked',
        command: 'ls /nonexistent-of-remuda',
        lastLines: [expect.stringContaining('No such file')],
      },
    });
    await expect(runTool('remuda-no-such-tool', [])).rejects.toMatchObject({
      report: { code: 'PAYLOAD-003' },
    });
  });
});

test('what a build needs is known before it starts (scripts/up asks once)', async () => {
  const needs = await buildNeeds(await temporaryFolder());
  expect(needs.time).toBeGreaterThan(60_000);
  expect(needs.packages).toEqual(expect.arrayContaining(['dpkg-dev', 'gcc', 'binutils']));
});

test('progress counts stages down and learns this machine’s own times', async () => {
  const file = join(await temporaryFolder(), 'timings.json');
  const stages = [
    { name: 'first', what: 'doing the first', usually: 4000 },
    { name: 'second', what: 'doing the second', usually: 30_000 },
  ];
  const seen: PayloadProgress[] = [];
  const clock = new StageClock(stages, file, (one) => seen.push(one));
  await clock.start();
  await clock.run('first', async (step) => {
    await new Promise((resolve) => setTimeout(resolve, 600));
    step(1, 2);
  });
  expect(seen[0]).toMatchObject({
    what: 'doing the first',
    usually: 4000,
    remaining: expect.closeTo(34_000, -3) as number,
  });
  expect(seen[1]?.remaining).toBeLessThan(33_000);
  const learned = JSON.parse(await readFile(file, 'utf8')) as Record<string, number>;
  expect(learned['first']).toBeGreaterThanOrEqual(590);
  // A stage that comes from the cache teaches nothing about the time it takes.
  await clock.run('second', () => Promise.resolve());
  expect(await readFile(file, 'utf8')).not.toContain('second');
  await writeFile(file, 'not json');
  await clock.start();
});

describe('images', () => {
  const recipe: ImageRecipe = {
    reference: 'remuda.dev/test/image:1',
    for: 'all',
    origin: 'a test',
    packages: [],
    binaries: ['bash', 'cat'],
    links: { '/usr/bin/sh': 'bash' },
    compiled: {},
    files: { [import.meta.filename]: '/bin/this-test' },
    process: run('/usr/bin/bash'),
  };

  test('an image runs on nothing but its own files, and the same recipe gives the same bytes', async () => {
    const folder = await temporaryFolder();
    const build = (name: string) =>
      buildImage(
        recipe,
        { root, binaries: folder, date: 1_700_000_000 },
        join(folder, 'layer'),
        join(folder, name),
      );
    const one = await build('one.tar');
    expect(await build('two.tar')).toEqual(one);
    execFileSync('tar', ['-xf', join(folder, 'one.tar'), '-C', folder]);
    const index = JSON.parse(await readFile(join(folder, 'index.json'), 'utf8')) as {
      manifests: { digest: string; annotations: Record<string, string> }[];
    };
    expect(index.manifests[0]).toMatchObject({
      digest: one.digest,
      annotations: { 'io.containerd.image.name': recipe.reference },
    });
    const manifest = JSON.parse(
      await readFile(join(folder, 'blobs/sha256', one.digest.slice(7)), 'utf8'),
    ) as { layers: { digest: string }[] };
    const unpacked = join(folder, 'root');
    await mkdir(unpacked);
    execFileSync('tar', [
      '-xf',
      join(folder, 'blobs/sha256', manifest.layers[0]?.digest.slice(7) ?? ''),
      '-C',
      unpacked,
    ]);
    // Only the loader inside the image may find the libraries: their folder is the only one it is given.
    const libraries = join(unpacked, 'usr/lib', root.triplet);
    const loader = join(libraries, isArm ? 'ld-linux-aarch64.so.1' : 'ld-linux-x86-64.so.2');
    const shell = [
      '--inhibit-cache',
      '--library-path',
      libraries,
      join(unpacked, 'usr/bin/bash'),
      '-c',
      'echo it runs',
    ];
    expect(execFileSync(loader, shell, { encoding: 'utf8' })).toBe('it runs\n');
    expect(await readdir(join(unpacked, 'usr/bin'))).toEqual(['bash', 'cat', 'sh', 'this-test']);
  });

  test('the closure follows links and libraries, and names what no package brings', async () => {
    const files = await closure(root, [await programPath(root, 'bash')]);
    expect([...files]).toEqual(
      expect.arrayContaining(['/usr/bin/bash', `/usr/lib/${root.triplet}/libc.so.6`]),
    );
    await expect(closure(root, ['/usr/bin/remuda-no-such-program'])).rejects.toMatchObject({
      report: { code: 'PAYLOAD-014' },
    });
  });

  test('a changed file or mode of an add-on changes the recipe’s key', async () => {
    const folder = await temporaryFolder();
    const image = join(folder, 'provisioners/addons/network/sample/image');
    await mkdir(image, { recursive: true });
    await writeFile(join(image, 'script'), '#!/bin/bash\n', { mode: 0o755 });
    const written = {
      reference: 'remuda.dev/test/sample:1',
      packages: ['bash'],
      binaries: ['bash'],
      files: { script: '/usr/local/bin/script' },
      entrypoint: ['/usr/local/bin/script'],
    };
    await writeFile(join(image, 'recipe.json'), JSON.stringify(written));
    const keyNow = async (): Promise<string> => {
      const [found] = await addonImages(folder);
      expect(found).toMatchObject({ reference: written.reference, for: 'addon:sample' });
      return found === undefined ? '' : recipeText(found);
    };
    const keys = [await keyNow()];
    await writeFile(join(image, 'script'), '#!/bin/bash\necho changed\n');
    keys.push(await keyNow());
    await chmod(join(image, 'script'), 0o644);
    keys.push(await keyNow());
    expect(new Set(keys).size).toBe(3);
  });

  test('a recipe that reaches outside its folder or is unreadable is refused by name', async () => {
    const folder = await temporaryFolder();
    const image = join(folder, 'provisioners/addons/dns/sample/image');
    await mkdir(image, { recursive: true });
    const wrong = {
      reference: 'x',
      packages: [],
      binaries: [],
      files: { '../../../../etc/shadow': '/x' },
      entrypoint: [],
    };
    for (const text of [JSON.stringify(wrong), '{', '{}']) {
      await writeFile(join(image, 'recipe.json'), text);
      await expect(addonImages(folder)).rejects.toMatchObject({
        report: { code: 'PAYLOAD-017', place: { file: join(image, 'recipe.json') } },
      });
    }
  });
});
