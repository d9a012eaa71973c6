import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { fetchArguments } from '../../../provisioners/payload/fetch-arguments.ts';
import { fetchPayload } from '../../../provisioners/payload/fetch.ts';
import { PUBLIC_UPSTREAM } from '../../../provisioners/payload/upstream.ts';
import { temporaryFolder } from '../../unit/payload/sample.ts';
import { startUpstreamStandIn } from './upstream-stand-in.ts';

const repository = resolve(import.meta.dirname, '..', '..', '..');

/** `remuda ARGUMENTS`, as a person runs it. */
async function remuda(...given: readonly string[]) {
  const env = { ...process.env, REMUDA_CACHE: await temporaryFolder() };
  const program = join(repository, 'daemon/cli/main.ts');
  return spawnSync(process.execPath, [program, ...given], { env, encoding: 'utf8' });
}

test('remuda payload fetch says exactly what a person must do for a version without reviewed digests', async () => {
  const { status, stderr } = await remuda('payload', 'fetch', 'v1.37.1');
  expect(status).toBe(1);
  expect(stderr).toContain('Nobody has reviewed the digests of Kubernetes v1.37.1');
  for (const part of ['REVIEWED_RELEASES in provisioners/payload/digests.ts', 'second person', '`reviewed`'])
    expect(stderr).toContain(part);
});

test('mirrors given as options and in the environment are fetched from, the options first', async () => {
  await using upstream = await startUpstreamStandIn();
  const cacheRoot = await temporaryFolder();
  const authority = join(cacheRoot, 'ca.pem');
  await writeFile(authority, upstream.sources.certificateAuthorities?.[0] ?? '');
  const { version, sources } = await fetchArguments(
    ['1.37.1', '--kubernetes', `${upstream.url}/`, '--registry', upstream.url, '--authority', authority],
    { REMUDA_PAYLOAD_GITHUB: upstream.url, REMUDA_PAYLOAD_KUBERNETES: 'https://not-asked.invalid' },
  );
  const fetched = await fetchPayload({
    version,
    sources,
    cacheRoot,
    releases: [upstream.release],
    isLoopbackAllowed: true,
  });
  expect(fetched.manifest.name).toBe('kubernetes-v1.37.1-upstream');
});

test('a further host belongs to its source alone; a mirror does not inherit those of upstream', async () => {
  const { sources } = await fetchArguments(
    ['v1.37.1', '--github', 'https://mirror.example', '--also-host', 'github=store.mirror.example'],
    {},
  );
  expect(sources).toEqual({
    ...PUBLIC_UPSTREAM,
    github: { url: 'https://mirror.example', alsoHosts: ['store.mirror.example'] },
  });
  const { sources: fromEnvironment } = await fetchArguments(['v1.37.1'], {
    REMUDA_PAYLOAD_ALSO_HOSTS: 'registry=store.example',
  });
  expect(fromEnvironment.registry.alsoHosts).toEqual(['store.example']);
});

test.each([
  [[]],
  [['v1.37.1', 'v1.37.2']],
  [['v1.37.1', '--registry', 'http://mirror.example']],
  [['v1.37.1', '--also-host', 'elsewhere=host']],
  [['v1.37.1', '--surprise']],
  [['v1.37.1', '--authority', '/no/such/file']],
])('%j is refused with a reason', async (given) => {
  await expect(fetchArguments(given, {})).rejects.toMatchObject({ report: { code: 'PAYLOAD-046' } });
});

test('a password in a URL is not repeated', async () => {
  await expect(
    fetchArguments(['v1.37.1', '--registry', 'https://me:hunter2@mirror.example'], {}),
  ).rejects.toSatisfy((thrown) => !JSON.stringify(thrown).includes('hunter2'));
});
