import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createAuditQuestions } from '../../../appliance/agent/audit-delivery/delivery.ts';
import { drawIdentity, recipientOf, seal } from '../../../appliance/agent/sealing.ts';
import { AuditExports } from '../../../daemon/access/audit-export.ts';
import { auditReceiverSchema } from '../../../daemon/access/audit-receiver.ts';
import { verifyAudit } from '../../../daemon/access/audit-verification.ts';
import type { Reach } from '../../../daemon/access/directory.ts';
import { State } from '../../../daemon/state/state.ts';
import { loopbackCertificate } from '../payload/certificate.ts';
import { FakeClock } from '../../unit/operations/fake-clock.ts';
import { startHook, startSyslog } from './receivers.ts';

/*
 * The daemon's side and the agent's side of handing the audit trail over, with real servers on loopback; only the link
 * between them is left out, and the clock is the test's.
 */
let folder: string;
let state: State;
let exports: AuditExports;
let clock: FakeClock;
let reach: Reach;
let isLoopbackAllowed: boolean;
let identity: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'remuda-audit-'));
  state = new State({ folder, reserveBytes: 65_536 });
  identity = await drawIdentity();
  isLoopbackAllowed = true;
  reach = (async (name: string, request: never) => {
    const questions: Readonly<Record<string, (request: never) => unknown>> = createAuditQuestions({
      identity,
      reach: { isLoopbackAllowed },
    });
    // As the link does: what crosses it is JSON.
    return JSON.parse(JSON.stringify(await questions[name]?.(request))) as unknown;
  }) as Reach;
  clock = new FakeClock();
  exports = new AuditExports({ state, reach, clock: clock.view().clock });
  exports.start();
});
afterEach(() => {
  exports.stop();
  state.close();
  rmSync(folder, { recursive: true, force: true });
});

let drawn = 0;
const append = (count = 1): void => {
  for (let time = 0; time < count; time += 1)
    state.audit.append({
      at: '2026-11-21T09:00:00.000Z',
      principal: 'user:alice',
      verb: 'file.apply',
      object: 'file',
      outcome: time % 2 === 0 ? 'allowed' : 'refused',
      detail: { text: 'naïve "quotes"', drawn: (drawn += 1) },
    });
};
const set = (name: string, settings: object) =>
  exports.set(name, auditReceiverSchema.parse(settings), 'user:root');
const view = (name: string) => exports.list().find((receiver) => receiver.name === name);
const arrived = (name: string) => vi.waitFor(() => expect(view(name)?.lag).toBe(0), { timeout: 20_000 });
const troubled = (name: string, code: string) =>
  vi.waitFor(() => expect(view(name)?.problem?.code).toBe(code), { timeout: 20_000 });
/** Waits until a next try is set, and lets its time come. */
const pausePassed = () => vi.waitFor(() => expect(clock.tick()).toBe(true), { timeout: 20_000 });
const numbersIn = (messages: readonly string[]): number[] =>
  messages.map((message) => (JSON.parse(message.slice(message.indexOf('{'))) as { number: number }).number);
const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

describe('audit over syslog (RFC 5424)', () => {
  test.each(['tcp', 'tls'])(
    '%s: every row arrives once, in order, with its hash; the lag is seen',
    async (scheme) => {
      const certificate = await loopbackCertificate();
      await using server = await startSyslog(scheme === 'tls' ? certificate : undefined);
      append(450);
      const trust = scheme === 'tls' ? { authority: certificate.certificate } : {};
      expect(
        set('siem', { type: 'syslog', server: `${scheme}://127.0.0.1:${server.port}`, ...trust }).lag,
      ).toBe(450);
      await arrived('siem');
      append();
      await arrived('siem');
      expect(numbersIn(server.messages)).toEqual(upTo(451));
      expect(server.messages[0]).toMatch(/^<110>1 2026-11-21T09:00:00\.000Z - remuda - audit - \{/);
      expect(server.messages[1]).toMatch(/^<108>1 /);
      expect(server.messages.at(-1)).toContain(state.audit.head().hash);
    },
  );

  test('a server that cuts the line loses nothing: the rows come again, at least once, after a pause', async () => {
    await using server = await startSyslog();
    server.cutAfter = 2000;
    append(100);
    set('siem', { type: 'syslog', server: `tcp://127.0.0.1:${server.port}` });
    await troubled('siem', 'AUDIT-002');
    expect(view('siem')?.position).toBe(0);
    server.cutAfter = undefined;
    await pausePassed();
    await arrived('siem');
    expect([...new Set(numbersIn(server.messages))].sort((one, other) => one - other)).toEqual(upTo(100));
  });

  test('the position is kept: another process goes on there and repeats nothing', async () => {
    await using server = await startSyslog();
    append(3);
    set('siem', { type: 'syslog', server: `tcp://127.0.0.1:${server.port}` });
    await arrived('siem');
    exports.stop();
    append(2);
    exports = new AuditExports({ state, reach, clock: clock.view().clock });
    exports.start();
    await arrived('siem');
    expect(numbersIn(server.messages)).toEqual(upTo(5));
    set('later', { type: 'syslog', server: `tcp://127.0.0.1:${server.port}`, from: 'now' });
    expect(view('later')).toMatchObject({ position: 5, lag: 0 });
  });

  test('an authority that did not sign the server gets no row; loopback needs the permission of tests', async () => {
    await using server = await startSyslog(await loopbackCertificate());
    append();
    const { certificate } = await loopbackCertificate();
    set('siem', { type: 'syslog', server: `tls://127.0.0.1:${server.port}`, authority: certificate });
    await troubled('siem', 'OUTGOING-004');
    isLoopbackAllowed = false;
    set('self', { type: 'syslog', server: `tcp://localhost:${server.port}` });
    await troubled('self', 'OUTGOING-002');
    expect(server.messages).toEqual([]);
  });
});

describe('audit to a webhook', () => {
  const key = 'hmac-canary-key';
  async function hook() {
    const certificate = await loopbackCertificate();
    state.secrets.put({
      name: 'hook',
      sealed: await seal([await recipientOf(identity)], JSON.stringify({ hmac: key })),
      keys: ['hmac'],
      principal: 'user:root',
      updatedAt: '2026-11-21T09:00:00.000Z',
    });
    const server = await startHook(certificate);
    const settings = {
      type: 'webhook',
      server: `https://127.0.0.1:${server.port}/audit?site=1`,
      authority: certificate.certificate,
      secretRef: 'hook',
    };
    return { server, settings };
  }

  test('rows are posted, signed, under a key that stays the same when they are sent again', async () => {
    const { server, settings } = await hook();
    await using _ = server;
    server.status = 500;
    append(2);
    set('hook', settings);
    await troubled('hook', 'AUDIT-002');
    server.status = 204;
    await pausePassed();
    await arrived('hook');
    const [first, second] = server.got;
    expect([first?.path, first?.headers['idempotency-key']]).toEqual([
      '/audit?site=1',
      second?.headers['idempotency-key'],
    ]);
    expect(first?.body).toBe(second?.body);
    const [, seconds, signature] =
      /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(second?.headers['remuda-signature'])) ?? [];
    expect(signature).toBe(createHmac('sha256', key).update(`${seconds}.${second?.body}`).digest('hex'));
    expect(JSON.parse(second?.body ?? '')).toMatchObject({
      rows: [{ number: 1 }, { number: 2 }],
      head: state.audit.head(),
    });
    expect(JSON.stringify(exports.list())).not.toContain('canary');
  });

  test('a redirection is not followed, and nothing of an answer is shown', async () => {
    const { server, settings } = await hook();
    await using _ = server;
    server.status = 302;
    append();
    set('hook', settings);
    await troubled('hook', 'AUDIT-002');
    expect(view('hook')?.problem?.summary).toBe('The webhook answered with status 302.');
    expect(JSON.stringify(exports.list())).not.toContain('body-canary');
  });

  test('the key goes to the server for which it was given and to no other', async () => {
    const { server, settings } = await hook();
    await using _ = server;
    set('hook', settings);
    expect(() => set('hook', { ...settings, server: 'https://evil.example/x' })).toThrow(
      /not given for this server/,
    );
    expect(() => set('other', { ...settings, secretRef: 'none' })).toThrow(/no secret named none/);
    expect(auditReceiverSchema.safeParse({ ...settings, server: 'http://127.0.0.1/' }).success).toBe(false);
  });
});

describe('a trail that was changed (issue 3: truncation noticed)', () => {
  /** As somebody would who can write the state file. */
  const tamper = (sql: string): void => {
    state.database.exec('DROP TRIGGER audit_is_kept; DROP TRIGGER audit_is_fixed;');
    state.database.exec(sql);
  };

  test('a changed row, a missing row in the middle, a cut end and a new history are told apart', async () => {
    append(600);
    const kept = state.audit.head();
    expect(await verifyAudit(state.audit, kept)).toMatchObject({
      isWhole: true,
      rows: 600,
      against: { verdict: 'matches' },
    });
    tamper("UPDATE audit SET principal = 'user:mallory' WHERE number = 510");
    expect(await verifyAudit(state.audit)).toMatchObject({ isWhole: false, firstBroken: 510 });
    state.database.exec("UPDATE audit SET principal = 'user:alice' WHERE number = 510");
    expect((await verifyAudit(state.audit)).isWhole).toBe(true);
    state.database.exec('DELETE FROM audit WHERE number > 550');
    // The chain alone cannot know that its end is gone; the head that was kept does.
    expect(await verifyAudit(state.audit)).toMatchObject({ isWhole: true, rows: 550 });
    expect(await verifyAudit(state.audit, kept)).toMatchObject({
      isWhole: false,
      against: { verdict: 'missing' },
    });
    append(60);
    expect(await verifyAudit(state.audit, kept)).toMatchObject({
      isWhole: false,
      against: { verdict: 'differs' },
    });
    state.database.exec('DELETE FROM audit WHERE number = 5');
    expect(await verifyAudit(state.audit)).toMatchObject({ isWhole: false, firstBroken: 5 });
  });

  test('a receiver that has more or other rows than there are here notices, and gets nothing more', async () => {
    await using server = await startSyslog();
    append(10);
    set('siem', { type: 'syslog', server: `tcp://127.0.0.1:${server.port}` });
    await arrived('siem');
    tamper('DELETE FROM audit WHERE number > 6');
    append(6);
    await troubled('siem', 'AUDIT-013');
    expect(server.messages).toHaveLength(10);
    // A second look, ended when the next one is set.
    await pausePassed();
    await pausePassed();
    expect(server.messages).toHaveLength(10);
  });
});
