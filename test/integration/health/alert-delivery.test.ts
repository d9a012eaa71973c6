import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createAlertQuestions } from '../../../appliance/agent/health/alerts.ts';
import { drawIdentity, recipientOf, seal } from '../../../appliance/agent/sealing.ts';
import { AlertDeliveries } from '../../../daemon/operations/health/alert-delivery.ts';
import { alertReceiverSchema } from '../../../daemon/operations/health/alert-receiver.ts';
import type { Reach } from '../../../daemon/access/directory.ts';
import { Recorder } from '../../../daemon/operations/recorder.ts';
import { State } from '../../../daemon/state/state.ts';
import { FakeClock } from '../../unit/operations/fake-clock.ts';
import { type HookServer, startHook } from '../audit/receivers.ts';
import { loopbackCertificate } from '../payload/certificate.ts';

/*
 * The daemon's side and the agent's side of telling alerts, with a real https server on loopback; only the link between
 * them is left out, and the clock is the test's.
 */
let folder: string;
let state: State;
let deliveries: AlertDeliveries;
let clock: FakeClock;
let hook: HookServer;
let authority: string;
let isLoopbackAllowed: boolean;

const start = (link: { readonly reach: Reach }): AlertDeliveries => {
  const made = new AlertDeliveries({ recorder: new Recorder(state, clock.view().clock), link: () => link });
  made.start();
  return made;
};
let link: { readonly reach: Reach };

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'remuda-alerts-'));
  state = new State({ folder, reserveBytes: 65_536 });
  clock = new FakeClock();
  isLoopbackAllowed = true;
  const identity = await drawIdentity();
  const certificate = await loopbackCertificate();
  authority = certificate.certificate;
  hook = await startHook(certificate);
  const reach = (async (_name: string, request: never) => {
    const questions = createAlertQuestions({ identity, reach: { isLoopbackAllowed } });
    // As the link does: what crosses it is JSON.
    return JSON.parse(JSON.stringify(await questions['alert.deliver'](request))) as unknown;
  }) as Reach;
  link = { reach };
  const sealed = await seal([await recipientOf(identity)], JSON.stringify({ hmac: 'key-canary' }));
  state.secrets.put({
    name: 'hook',
    keys: ['hmac'],
    sealed,
    principal: 'p',
    updatedAt: '2026-11-21T00:00:00.000Z',
  });
  deliveries = start(link);
});

afterEach(async () => {
  deliveries.stop();
  state.close();
  await hook[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

let drawn = 0;
function notice(cluster: string, severity: 'warning' | 'critical' = 'warning'): string {
  const id = `n${(drawn += 1)}`;
  const at = '2026-11-21T00:00:00.000Z';
  state.alerts.addNotice({ id, at, body: { id, at, cluster, alerts: [{ id: `a${id}`, severity }] } });
  deliveries.wake();
  return id;
}
const set = (changes: object = {}) => {
  const server = `https://127.0.0.1:${hook.port}/alerts`;
  const settings = alertReceiverSchema.parse({ server, authority, secretRef: 'hook', ...changes });
  return deliveries.set('ops', settings, 'user:root');
};
const view = () => deliveries.list()[0];
const arrived = () => vi.waitFor(() => expect(view()?.lag).toBe(0), { timeout: 20_000 });
const troubled = (code: string) =>
  vi.waitFor(() => expect(view()?.problem?.code).toBe(code), { timeout: 20_000 });
/** Waits until a next try is set, and lets its time come. */
const pausePassed = () => vi.waitFor(() => expect(clock.tick()).toBe(true), { timeout: 20_000 });
const idsIn = (body: string): string[] =>
  (JSON.parse(body) as { readonly notices: readonly { readonly id: string }[] }).notices.map(({ id }) => id);
const told = (): string[][] => hook.got.map(({ body }) => idsIn(body));
const keysOf = (): unknown[] => hook.got.map(({ headers }) => headers['webhook-id']);

describe('alerts on their way to a webhook (K6)', () => {
  test('what was before a receiver was set is not told; what comes is, once', async () => {
    notice('old');
    set();
    const id = notice('demo');
    await arrived();
    expect(told()).toEqual([[id]]);
    expect(view()?.deliveredAt).toBeDefined();
  });

  test('a receiver that refuses gets the very same batch under the same id until it takes it; then what came since', async () => {
    hook.status = 500;
    set();
    const first = notice('one');
    await troubled('ALERT-002');
    const second = notice('two');
    hook.status = 302;
    await pausePassed();
    await vi.waitFor(() => expect(hook.got).toHaveLength(2), { timeout: 20_000 });
    hook.status = 204;
    await pausePassed();
    await arrived();
    expect(told()).toEqual([[first], [first], [first], [second]]);
    const keys = keysOf();
    expect(new Set(keys.slice(0, 3)).size).toBe(1);
    expect(keys[3]).not.toBe(keys[0]);
    expect(hook.got[0]?.body).toBe(hook.got[2]?.body);
    expect(view()?.problem).toBeUndefined();
  });

  test('another process goes on with the batch that was on its way, under its id', async () => {
    hook.status = 500;
    set();
    const first = notice('one');
    await troubled('ALERT-002');
    deliveries.stop();
    state.alerts.addNotice({
      id: 'later',
      at: '2026-11-21T00:00:00.000Z',
      body: { id: 'later', alerts: [] },
    });
    hook.status = 200;
    deliveries = start(link);
    await arrived();
    expect(told()).toEqual([[first], [first], ['later']]);
    expect(keysOf()[1]).toBe(keysOf()[0]);
  });

  test('many that wait come in batches, and each receiver gets what it asked for', async () => {
    deliveries.stop();
    set({ severity: 'critical', clusters: ['demo'] });
    notice('demo', 'warning');
    const wanted = Array.from({ length: 60 }, () => notice('demo', 'critical'));
    notice('other', 'critical');
    deliveries = start(link);
    await arrived();
    expect(told().flat()).toEqual(wanted);
    expect(told().length).toBe(2);
  });

  test('the key goes only to the server for which it was given, and stands in nothing that is sent', async () => {
    set();
    notice('demo');
    await arrived();
    expect(() => set({ server: 'https://elsewhere.example/hook' })).toThrow(/was not given for this server/);
    expect(JSON.stringify(hook.got)).not.toContain('key-canary');
  });

  test('addresses that nobody may be sent to are refused, after the name was looked up', async () => {
    isLoopbackAllowed = false;
    set();
    notice('demo');
    await troubled('OUTGOING-002');
    expect(hook.got).toEqual([]);
  });
});
