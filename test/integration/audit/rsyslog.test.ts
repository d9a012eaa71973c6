import { describe, expect, test, vi } from 'vitest';
import { createAuditQuestions } from '../../../appliance/agent/audit-delivery/delivery.ts';
import type { AuditDelivery } from '../../../appliance/agent/protocol/outgoing.ts';
import { drawIdentity } from '../../../appliance/agent/sealing.ts';
import { loopbackCertificate } from '../payload/certificate.ts';
import { startRsyslog } from './rsyslog.ts';

/*
 * The agent's sender against a syslog server that others wrote. What the daemon sends when, and how it goes on after a
 * failure, stands in audit-export.test.ts.
 */
const rows = Array.from({ length: 300 }, (_, index) => ({
  number: index + 1,
  at: '2026-11-21T09:00:00.123Z',
  principal: 'user:alice',
  verb: 'file.apply',
  object: 'file',
  outcome: index % 2 === 0 ? 'allowed' : 'refused',
  // Each must stay one message: a line break, a frame's beginning, escape codes, other scripts, and a long one.
  detail: {
    text: `line\nbreak 12 <110>1 - \u001b[31m "quoted" naïve 集群 ${index === 7 ? 'x'.repeat(20_000) : ''}`,
  },
  hash: 'f'.repeat(64),
}));

async function deliver(receiver: AuditDelivery['receiver']) {
  const identity = await drawIdentity();
  const questions = createAuditQuestions({ identity, reach: { isLoopbackAllowed: true } });
  return questions['audit.deliver']({
    receiver,
    key: 'k',
    rows,
    head: { number: rows.length, hash: 'f'.repeat(64) },
  });
}

describe('audit to a real rsyslogd (issue 3: head exported)', () => {
  test.each(['tcp', 'tls'] as const)(
    '%s: each row is one message, whole, in order, with its fields',
    async (transport) => {
      await using server = await startRsyslog(transport);
      const trust = transport === 'tls' ? { authority: server.authority } : {};
      const told = await deliver({
        type: 'syslog',
        server: `${transport}://127.0.0.1:${server.port}`,
        ...trust,
      });
      expect(told).toEqual({ isDelivered: true });
      await vi.waitFor(() => expect(server.understood()).toHaveLength(rows.length), { timeout: 30_000 });
      const understood = server.understood();
      expect(understood.map(({ message }) => JSON.parse(message) as unknown)).toEqual(rows);
      expect(understood[0]).toMatchObject({
        priority: '110',
        version: '1',
        at: '2026-11-21T09:00:00.123Z',
        app: 'remuda',
        id: 'audit',
      });
      expect(understood[1]?.priority).toBe('108');
    },
  );

  test('an authority that did not sign it: nothing is sent', async () => {
    await using server = await startRsyslog('tls');
    const { certificate } = await loopbackCertificate();
    const told = await deliver({
      type: 'syslog',
      server: `tls://127.0.0.1:${server.port}`,
      authority: certificate,
    });
    expect(told).toMatchObject({ isDelivered: false, problem: { code: 'OUTGOING-004' } });
    expect(server.understood()).toEqual([]);
  });
});
