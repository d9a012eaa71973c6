import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TokenSweep } from '../../../daemon/api/token-sweep.ts';
import { FakeClock, settle } from '../../unit/operations/fake-clock.ts';
import { addFakeCluster, grantRole } from './fake-clusters.ts';
import { fakeRefusal } from './fake-engine.ts';
import { type FakeSite, startFakeSite } from './fake-site.ts';
import { ask } from './http.ts';

let site: FakeSite;
let clock: FakeClock;
let sweep: TokenSweep;
beforeEach(async () => {
  site = await startFakeSite();
  addFakeCluster(site, 'demo');
  clock = new FakeClock();
  sweep = new TokenSweep({
    state: site.state,
    identities: site.door.identities,
    credentials: site.engine.credentials,
    // Tokens were issued by the real clock: only the pauses are the test's.
    clock: { now: Date.now, after: (delay, act) => clock.view().clock.after(delay, act) },
    logger: { warn: () => {} } as never,
  });
  sweep.start();
});
afterEach(async () => {
  sweep.stop();
  await site[Symbol.asyncDispose]();
});

/** A program of somebody with a token for `demo`; answers its principal. */
async function holder(name: string, inDemo: 'admin' | 'viewer'): Promise<string> {
  const { token, view } = site.tokens.issue({ name, role: 'user', days: 1 });
  grantRole(site, view.principal, 'demo', inDemo);
  const answer = await ask(`${site.url}/api/v1/clusters/demo/credentials`, site.authority.certificate, {
    method: 'POST',
    token,
    body: JSON.stringify({ kind: 'token' }),
  });
  expect(answer.status).toBe(201);
  return view.principal;
}
/** Lets the time of each look that is set come, until nothing is left to do. */
async function passes(): Promise<void> {
  // The fake engine answers at once: a look is over when everything resolved was acted on.
  while (clock.tick()) await settle();
}
const activeOf = (principal: string): number =>
  site.state.credentials.list('u-demo', principal).filter(({ revokedAt }) => revokedAt === undefined).length;
const regrant = (principal: string, role: 'admin' | 'viewer'): void =>
  grantRole(site, principal, 'demo', role);
const takeGrant = (principal: string): void => {
  const grant = site.state.grants.ofCluster('u-demo').find((one) => one.principal === principal);
  site.state.grants.remove('u-demo', grant?.id ?? '');
};
/** As every change through the API does. */
const changeIsNoted = (): void => {
  site.state.audit.append({ at: '', principal: 'x', verb: 'x', object: 'x', outcome: 'allowed', detail: {} });
};

describe('E1: a token outlives no role', () => {
  test('whoever loses the role in the cluster, or is administrator there no more, loses the token; others keep it', async () => {
    const [gone, lesser, same, raised] = [
      await holder('gone', 'viewer'),
      await holder('lesser', 'admin'),
      await holder('same', 'admin'),
      await holder('raised', 'viewer'),
    ];
    await passes();
    expect([gone, lesser, same, raised].map(activeOf)).toEqual([1, 1, 1, 1]);
    takeGrant(gone);
    regrant(lesser, 'viewer');
    regrant(raised, 'admin');
    changeIsNoted();
    await passes();
    expect([gone, lesser, same, raised].map(activeOf)).toEqual([0, 0, 1, 1]);
    const rows = site.state.audit.list(0, 1000).filter(({ principal }) => principal === 'remuda');
    expect(rows.map(({ verb, detail }) => `${verb} ${String(detail['of'])}`).sort()).toEqual([
      `credential.revoke ${gone}`,
      `credential.revoke ${lesser}`,
    ]);
    expect(site.engine.asked.filter(({ name }) => name === 'revokeToken')).toHaveLength(2);
  });

  test('while the cluster is away the token counts as active, and it is tried again', async () => {
    const gone = await holder('gone', 'viewer');
    takeGrant(gone);
    site.engine.refusal = fakeRefusal('unavailable');
    changeIsNoted();
    expect(clock.tick()).toBe(true);
    // The next try is set once this one has failed.
    await expect.poll(() => clock.tick()).toBe(true);
    await expect.poll(() => activeOf(gone)).toBe(0);
    expect(site.engine.asked.filter(({ name }) => name === 'revokeToken')).toHaveLength(2);
  });
});
