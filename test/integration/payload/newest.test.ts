import { afterEach, beforeEach, expect, test } from 'vitest';
import { newestRelease, type NewestOptions } from '../../../provisioners/payload/newest.ts';
import { startUpstreamStandIn, type UpstreamStandIn } from './upstream-stand-in.ts';

let upstream: UpstreamStandIn;
beforeEach(async () => {
  upstream = await startUpstreamStandIn();
});
afterEach(() => upstream[Symbol.asyncDispose]());

function options(more: Partial<NewestOptions> = {}): NewestOptions {
  const older = { ...upstream.release, kubernetes: 'v1.37.0' };
  const tenth = { ...upstream.release, kubernetes: 'v1.37.10' };
  return {
    sources: upstream.sources,
    releases: [older, tenth, upstream.release],
    isUsable: () => true,
    isLoopbackAllowed: true,
    ...more,
  };
}

test('issue 2, up: the newest reviewed release is taken where upstream can be reached', async () => {
  const { release, why } = await newestRelease(options());
  expect(release?.kubernetes).toBe('v1.37.10');
  expect(why).toContain('newest');
});

test('issue 2, up: a release this machine cannot run is passed over', async () => {
  const { release } = await newestRelease(options({ isUsable: (version) => version === 'v1.37.0' }));
  expect(release?.kubernetes).toBe('v1.37.0');
});

test('issue 2, up: where upstream is away, that is an answer with its reason, not an error', async () => {
  const nobody = { url: 'https://127.0.0.1:1', alsoHosts: [] };
  const { release, why } = await newestRelease(
    options({ sources: { ...upstream.sources, registry: nobody } }),
  );
  expect(release).toBeUndefined();
  expect(why).toMatch(/v1\.37\.10 cannot be fetched from here: .*127\.0\.0\.1:1/);
});

test('issue 2, up: without a reviewed release nobody is asked', async () => {
  const { release, why } = await newestRelease(options({ releases: [] }));
  expect(release).toBeUndefined();
  expect(why).toContain('reviewed');
  expect(upstream.seen).toEqual([]);
});
