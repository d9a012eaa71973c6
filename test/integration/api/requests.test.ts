import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { problemDetailsSchema } from '../../../daemon/api/types.ts';
import type { RefusalReason } from '../../../daemon/operations/requests.ts';
import { Transient } from '../../../provisioners/contract/problem.ts';
import { fakeOperation, fakeRefusal } from './fake-engine.ts';
import { type FakeSite, startFakeSite } from './fake-site.ts';
import { ask, openRaw, readToEnd } from './http.ts';

let site: FakeSite;
beforeAll(async () => {
  site = await startFakeSite({ requestWithin: 1000 });
});
afterAll(() => site[Symbol.asyncDispose]());

const apply = (body: string, headers: Readonly<Record<string, string>> = {}) =>
  ask(`${site.url}/api/v1/apply`, site.authority.certificate, {
    method: 'POST',
    token: site.admin,
    body,
    headers,
  });
const good = JSON.stringify({ text: 'kind: Cluster', file: 'a.yaml' });
const askedSince = (count: number) => site.engine.asked.slice(count);

describe('C4: long work is asynchronous', () => {
  test('202 with the operation and where it is', async () => {
    site.engine.applyOperations = [fakeOperation()];
    const answer = await apply(good);
    expect([answer.status, answer.headers['location']]).toEqual([202, '/api/v1/operations/op-1']);
    site.engine.applyOperations = [];
    expect((await apply(good)).status).toBe(200);
  });

  test('idempotency key, revision, principal and defaults reach the engine', async () => {
    const count = site.engine.asked.length;
    await apply(good, { 'Idempotency-Key': 'key-1', 'If-Match': '"7"' });
    expect(askedSince(count)).toEqual([
      {
        name: 'apply',
        request: {
          text: 'kind: Cluster',
          file: 'a.yaml',
          confirm: [],
          bypass: [],
          principal: 'token:admin',
          ifRevision: 7,
          idempotencyKey: 'key-1',
        },
      },
    ]);
  });
});

describe('refusals are problem+json (RFC 9457) with our reports', () => {
  const cases: readonly (readonly [RefusalReason, number])[] = [
    ['invalid', 422],
    ['not-found', 404],
    ['conflict', 409],
    ['needs-confirmation', 409],
    ['plan-changed', 409],
    ['unavailable', 503],
  ];
  test.each(cases)('%s is %i', async (reason, status) => {
    site.engine.refusal = fakeRefusal(reason, { place: { file: 'a.yaml', line: 3, column: 5 } });
    const answer = await apply(good);
    const details = problemDetailsSchema.parse(answer.json);
    expect([answer.status, details.status, details.reason]).toEqual([status, status, reason]);
    expect(details.problems[0]?.place).toEqual({ file: 'a.yaml', line: 3, column: 5 });
  });

  test('a stale revision is 412', async () => {
    site.engine.refusal = fakeRefusal('conflict');
    expect((await apply(good, { 'If-Match': '"1"' })).status).toBe(412);
  });

  test('what may pass by itself is 503 and says when to ask again', async () => {
    site.engine.refusal = new Transient('AGENT-001', 'the agent is not connected');
    const answer = await apply(good);
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '5']);
  });

  test('K11: a mistake of ours says so with a reference and nothing of the inside', async () => {
    site.engine.refusal = new Error('SELECT secret FROM table at /srv/daemon/state.ts');
    const answer = await apply(good);
    const details = problemDetailsSchema.parse(answer.json);
    expect([answer.status, details.reason]).toEqual([500, 'fault']);
    expect(answer.text).not.toContain('SELECT');
    expect(site.log.join('')).toContain(details.instance);
  });
});

describe('bodies that cannot be', () => {
  test.each([
    ['not JSON', '{"text": "canary-body'],
    ['an array', '[]'],
    ['a number', '7'],
    ['no text', '{}'],
    ['an unknown field', JSON.stringify({ text: '', canary: 1 })],
    ['a wrong type', JSON.stringify({ text: 1 })],
    ['nothing', ''],
    ['a prototype', '{"text":"","__proto__":{"confirm":["demo"]}}'],
  ])('%s is refused and asks nothing of the engine', async (_what, body) => {
    const count = site.engine.asked.length;
    const answer = await apply(body);
    expect(answer.status).toBe(400);
    expect(problemDetailsSchema.parse(answer.json).reason).toBe('invalid');
    expect(answer.text).not.toContain('canary-body');
    expect(askedSince(count)).toEqual([]);
  });

  test('one that is too large is refused', async () => {
    const count = site.engine.asked.length;
    const answer = await apply(JSON.stringify({ text: 'x'.repeat(5 * 1024 * 1024) }));
    expect(problemDetailsSchema.parse(answer.json).reason).toBe('too-large');
    expect(answer.status).toBe(413);
    expect(askedSince(count)).toEqual([]);
  });

  test('a stranger’s body is not read: the answer comes before it', async () => {
    const socket = await openRaw(site.url, site.authority.certificate);
    const end = readToEnd(socket);
    socket.write(
      'POST /api/v1/apply HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 4000000\r\n\r\n{',
    );
    expect(await end).toMatch(/^HTTP\/1\.1 401 /);
  });

  test.each(['"x"', '-1', '1, 2', '"1'.padEnd(40, '1')])('If-Match %s is refused', async (value) => {
    expect((await apply(good, { 'If-Match': value })).status).toBe(400);
  });

  test.each([['empty'.slice(5)], ['a b'], ['k'.repeat(201)]])(
    'Idempotency-Key "%s" is refused',
    async (value) => {
      expect((await apply(good, { 'Idempotency-Key': value })).status).toBe(400);
    },
  );

  test('compressed bodies are refused: no bombs', async () => {
    expect((await apply(good, { 'Content-Encoding': 'gzip' })).status).toBe(400);
  });
});

describe('slow senders', () => {
  test('who never ends head or body is cut off, and others are served meanwhile', async () => {
    const head = await openRaw(site.url, site.authority.certificate);
    const headEnd = readToEnd(head);
    head.write('GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ');
    const body = await openRaw(site.url, site.authority.certificate);
    const bodyEnd = readToEnd(body);
    body.write(
      `POST /api/v1/apply HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${site.admin}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{`,
    );
    const drip = setInterval(() => body.write(' '), 100);
    expect((await ask(`${site.url}/healthz`, site.authority.certificate)).status).toBe(200);
    expect(await headEnd).toMatch(/408|^$/);
    expect(await bodyEnd).toMatch(/408|^$/);
    clearInterval(drip);
  });
});

describe('lists', () => {
  test('pages follow each other by cursor, also when something new comes in front', async () => {
    for (const number of [1, 2, 3, 4, 5]) {
      const id = `op-${number}`;
      site.engine.operations.set(id, fakeOperation({ id }));
    }
    const seen: string[] = [];
    let next: string | undefined;
    do {
      const query = `limit=2${next === undefined ? '' : `&cursor=${next}`}`;
      const { json } = await ask(`${site.url}/api/v1/operations?${query}`, site.authority.certificate, {
        token: site.admin,
      });
      const page = json as { readonly items: readonly { readonly id: string }[]; readonly next?: string };
      seen.push(...page.items.map((item) => item.id));
      next = page.next;
    } while (next !== undefined);
    expect(seen).toEqual(['op-1', 'op-2', 'op-3', 'op-4', 'op-5']);
  });

  test.each(['cursor=bm90aGluZw', 'limit=0', 'limit=100000', 'limit=x'])('%s is refused', async (query) => {
    const answer = await ask(`${site.url}/api/v1/operations?${query}`, site.authority.certificate, {
      token: site.admin,
    });
    expect(answer.status).toBe(400);
  });
});
