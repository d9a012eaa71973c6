import { execFileSync } from 'node:child_process';
import { appendFile, mkdir, readFile, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { assert, asyncProperty, integer, nat } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AcceptedSequences } from '../../../provisioners/payload/acceptance.ts';
import { signManifest } from '../../../provisioners/payload/signature.ts';
import { assertIntact, verifyPayload, type Verification } from '../../../provisioners/payload/verify.ts';
import { newKey, PARTS, sampleManifest, sha256, temporaryFolder, writeSample } from './sample.ts';

const key = newKey('release');
const verify = (folder: string, accepted = 0): Promise<Verification> =>
  verifyPayload({ folder, trusted: [newKey('another'), key], acceptedSequence: () => accepted });

async function problemsAfter(damage: (folder: string) => Promise<void>): Promise<readonly string[]> {
  const folder = await writeSample(key);
  await damage(folder);
  const found = await verify(folder);
  return found.isIntact ? [] : found.problems;
}

/** Signs whatever object is given, valid or not: what a careless or hostile holder of the key could do. */
async function signAnything(folder: string, manifest: object): Promise<void> {
  const bytes = Buffer.from(JSON.stringify(manifest));
  await writeFile(join(folder, 'manifest.json'), bytes);
  await writeFile(join(folder, 'manifest.json.sig'), signManifest(bytes, key));
}

describe('a payload is believed only as signed (DESIGN §8, complaint 14)', () => {
  test('an untouched one is intact, and says who signed it', async () => {
    const folder = await writeSample(key);
    const found = await verify(folder);
    expect(found.isIntact && found.payload.signer.owner).toBe('release');
    expect(assertIntact(folder, found).digest).toBe(sha256(await readFile(join(folder, 'manifest.json'))));
  });

  test('any changed byte of manifest or signature is noticed', async () => {
    const folder = await writeSample(key);
    for (const name of ['manifest.json', 'manifest.json.sig']) {
      const file = join(folder, name);
      const good = await readFile(file);
      await assert(
        asyncProperty(nat(good.length - 1), integer({ min: 1, max: 255 }), async (at, flip) => {
          const bad = Buffer.from(good);
          bad[at] = (bad[at] ?? 0) ^ flip;
          await writeFile(file, bad);
          const found = await verify(folder);
          // Another text of the very same signature (white space, unused base64 bits) may pass; nothing else may.
          const isSameSignature = name.endsWith('.sig') && sameJson(bad, good);
          expect(found.isIntact && !isSameSignature).toBe(false);
        }),
        { numRuns: 300 },
      );
      await writeFile(file, good);
    }
    expect((await verify(folder)).isIntact).toBe(true);
  });

  test('a manifest of a stranger, however well signed, is refused with both keys named', async () => {
    const folder = await writeSample(newKey('stranger'));
    const found = await verify(folder);
    expect(found).toMatchObject({ isIntact: false });
    if (!found.isIntact) expect(found.problems[0]).toMatch(/not trusted \(trusted: .*another.*release/);
  });

  test('missing manifest and missing signature are both named', async () => {
    const problems = await problemsAfter(async (folder) => {
      await rm(join(folder, 'manifest.json'));
      await rm(join(folder, 'manifest.json.sig'));
    });
    expect(problems).toEqual(['manifest.json: missing', 'manifest.json.sig: missing']);
  });

  test('a giant manifest is not read into memory', async () => {
    const problems = await problemsAfter((folder) => truncate(join(folder, 'manifest.json'), 3 << 20));
    expect(problems[0]).toMatch(/more than the 1048576 allowed/);
  });
});

describe('every damaged part is named, not only the first', () => {
  test('truncated, changed, swapped, missing, extra, linked: all at once', async () => {
    const problems = await problemsAfter(async (folder) => {
      await truncate(join(folder, 'files/kubeadm'), 3);
      await writeFile(join(folder, 'files/kubectl'), 'the kubectl BINARY');
      await rm(join(folder, 'files/cni-plugins.tar'));
      await rename(join(folder, 'images/pause-3.2.tar'), join(folder, 'images/stray.tar'));
      await symlink('/etc/passwd', join(folder, 'images/pause-3.2.tar'));
      await appendFile(join(folder, 'images/etcd-3.4.13-0.tar'), '!');
      await writeFile(join(folder, 'README'), 'read me');
    });
    const about = (part: string): string | undefined => problems.find((one) => one.startsWith(part));
    expect(about('files/kubeadm')).toMatch(/has 3 bytes, the manifest says 18/);
    expect(about('files/kubectl')).toMatch(/SHA-256 is not the one/);
    expect(about('files/cni-plugins.tar')).toMatch(/is missing/);
    expect(about('images/stray.tar')).toMatch(/not in the manifest/);
    expect(about('images/pause-3.2.tar')).toMatch(/not a regular file|is a link/);
    expect(about('images/etcd')).toMatch(/has 15 bytes, the manifest says 14/);
    expect(about('README')).toMatch(/not in the manifest/);
  });

  test('two parts of one size that were swapped are both found', async () => {
    const problems = await problemsAfter(async (folder) => {
      await writeFile(join(folder, 'files/kubeadm'), PARTS['files/kubectl']);
      await writeFile(join(folder, 'files/kubectl'), PARTS['files/kubeadm']);
    });
    expect(problems).toHaveLength(2);
  });

  test('a linked folder, a pipe and a nested folder are refused', async () => {
    const linked = await problemsAfter(async (folder) => {
      const elsewhere = await temporaryFolder();
      await rename(join(folder, 'files'), join(elsewhere, 'files'));
      await symlink(join(elsewhere, 'files'), join(folder, 'files'));
    });
    expect(linked).toContain('files: is not in the manifest');
    expect(linked).toContain('files/kubeadm: lies behind a link, not in a folder of the payload');
    const strange = await problemsAfter(async (folder) => {
      await rm(join(folder, 'files/kubeadm'));
      execFileSync('mkfifo', [join(folder, 'files/kubeadm')]);
      await mkdir(join(folder, 'images/deeper'));
    });
    expect(strange).toContain('files/kubeadm: is not a regular file');
    expect(strange).toContain('images/deeper: is not in the manifest');
  });
});

describe('a signed manifest is still checked', () => {
  test.each([
    'files/../../etc/passwd',
    '/etc/passwd',
    'files/..',
    'files/a/b',
    'files\\kubeadm',
    'elsewhere/kubeadm',
    'files/.hidden',
    'files/%2e%2e',
  ])('the path %j is refused', async (path) => {
    const problems = await problemsAfter(async (folder) => {
      const manifest = sampleManifest();
      await signAnything(folder, { ...manifest, files: [{ ...manifest.files[0], path }] });
    });
    expect(problems[0]).toMatch(/files\.0\.path/);
  });

  test.each(['relative/path', '/usr/../etc/shadow', '/usr//bin', '/', '/usr/bin/', '/a\nb', '/a b'])(
    'the install target %j is refused',
    async (install) => {
      const problems = await problemsAfter(async (folder) => {
        const manifest = sampleManifest();
        await signAnything(folder, { ...manifest, files: [{ ...manifest.files[0], install }] });
      });
      expect(problems[0]).toMatch(/files\.0\.install/);
    },
  );

  test('a path listed twice, an unknown field and a wrong name are refused', async () => {
    const manifest = sampleManifest();
    const [first, second] = manifest.files;
    for (const wrong of [
      { ...manifest, files: [first, { ...second, path: first?.path }] },
      { ...manifest, surprise: 1 },
      { ...manifest, name: 'kubernetes-v1.20.3-lab' },
    ]) {
      expect(await problemsAfter((folder) => signAnything(folder, wrong))).not.toEqual([]);
    }
  });
});

describe('roll-back is refused (DESIGN §8)', () => {
  test('an older sequence than accepted before, also after a restart', async () => {
    const record = join(await temporaryFolder(), 'accepted.json');
    await new AcceptedSequences(record).accept('kubernetes-v1.20.2-lab', 8);
    await new AcceptedSequences(record).accept('kubernetes-v1.20.2-lab', 5);
    const accepted = await new AcceptedSequences(record).of('kubernetes-v1.20.2-lab');
    expect(accepted).toBe(8);
    const old = await verify(await writeSample(key, 7), accepted);
    expect(old).toMatchObject({ isIntact: false, problems: [expect.stringMatching(/roll-back/)] });
    expect((await verify(await writeSample(key, 8), accepted)).isIntact).toBe(true);
    expect(await new AcceptedSequences(record).of('kubernetes-v1.21.0-lab')).toBe(0);
  });

  test('a damaged record is no empty record', async () => {
    const record = join(await temporaryFolder(), 'accepted.json');
    await writeFile(record, '{"kubernetes-v1.20.2-lab":');
    await expect(new AcceptedSequences(record).of('kubernetes-v1.20.2-lab')).rejects.toMatchObject({
      report: { kind: 'blocked', code: 'PAYLOAD-021' },
    });
  });
});

function sameJson(one: Buffer, other: Buffer): boolean {
  try {
    const [a, b] = [one, other].map((bytes) => JSON.parse(bytes.toString('utf8')) as Record<string, unknown>);
    if (a === undefined || b === undefined || Object.keys(a).length !== 3) return false;
    const signature = (value: unknown): string => Buffer.from(String(value), 'base64').toString('hex');
    return (
      a['algorithm'] === b['algorithm'] &&
      a['keyId'] === b['keyId'] &&
      signature(a['signature']) === signature(b['signature'])
    );
  } catch {
    return false;
  }
}
