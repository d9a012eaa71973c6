import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { payloadCache } from '../../../provisioners/payload/cache.ts';
import { type CatalogueEntry, listPayloads } from '../../../provisioners/payload/catalogue.ts';
import { localTrust } from '../../../provisioners/payload/signature.ts';
import { verifyPayload } from '../../../provisioners/payload/verify.ts';

const cache = payloadCache();
const trusted = await localTrust(cache.signingKey);
const { payloads } = await listPayloads(cache, trusted);
const newest = new Map<string, CatalogueEntry>();
for (const entry of payloads) if (!newest.has(entry.manifest.name)) newest.set(entry.manifest.name, entry);
const lab = [...newest.values()].filter(({ manifest }) => manifest.flavour === 'lab');

/** Needs what `scripts/payload build` leaves in the cache; building it here would take minutes of every run. */
describe.skipIf(lab.length === 0)('the lab payloads that were built on this machine', () => {
  test.each(lab)('$manifest.name is intact, byte for byte', async ({ folder, manifest }) => {
    const acceptedSequence = (): number => manifest.sequence;
    expect(await verifyPayload({ folder, trusted, acceptedSequence })).toMatchObject({ isIntact: true });
  });

  test.each(lab)(
    '$manifest.name: its own kubeadm finds every image that it asks for',
    ({ folder, manifest }) => {
      const kubeadm = join(folder, 'files/kubeadm');
      expect(execFileSync(kubeadm, ['version', '--output', 'short'], { encoding: 'utf8' }).trim()).toBe(
        manifest.kubernetes,
      );
      const list = ['config', 'images', 'list', '--kubernetes-version', manifest.kubernetes];
      const asked = execFileSync(kubeadm, list, { encoding: 'utf8' }).trim().split('\n');
      expect(manifest.images.map((image) => image.reference)).toEqual(expect.arrayContaining(asked));
    },
  );

  test.each(lab)('$manifest.name: every binary says the version of its manifest', ({ folder, manifest }) => {
    const say = (name: string, ...args: string[]): string =>
      execFileSync(join(folder, 'files', name), args, { encoding: 'utf8' });
    expect(say('kubelet', '--version')).toBe(`Kubernetes ${manifest.kubernetes}\n`);
    expect(say('kubectl', 'version', '--client', '--short')).toContain(manifest.kubernetes);
    expect(say('containerd', '--version')).toContain('containerd');
    expect(say('runc', '--version')).toContain('runc version');
  });

  test.each(lab.filter(({ manifest }) => manifest.kubernetes !== 'v1.20.2'))(
    '$manifest.name says that it is a restamped copy, in its manifest and in its binaries',
    ({ folder, manifest }) => {
      expect(manifest.provenance).toMatch(/^RESTAMPED: the code of v1\.20\.2/);
      const version = execFileSync(join(folder, 'files/kubeadm'), ['version', '--output', 'json'], {
        encoding: 'utf8',
      });
      expect(version).toContain('remuda-lab-restamped-from-v1.20.2');
    },
  );
});
