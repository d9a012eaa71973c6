import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { io } from 'socket.io-client';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { livePath } from '../../../daemon/api/schemas/live.ts';
import { codeOf } from './fake-browser.ts';
import { type FakeSite, startFakeSite } from './fake-site.ts';
import { type Answer, ask } from './http.ts';

let site: FakeSite;
let alice: string;
let bob: string;
beforeEach(async () => {
  site = await startFakeSite();
  alice = site.tokens.issue({ name: 'alice', role: 'viewer', days: 1 }).token;
  bob = site.tokens.issue({ name: 'bob', role: 'operator', days: 1 }).token;
});
afterEach(() => site[Symbol.asyncDispose]());

const send = (
  token: string,
  method: string,
  path: string,
  body?: object,
  revision?: number,
): Promise<Answer> =>
  ask(`${site.url}/api/v1/drafts${path}`, site.authority.certificate, {
    method,
    token,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(revision === undefined ? {} : { headers: { 'If-Match': `"${revision}"` } }),
  });
const draft = { title: 'a first cluster', text: 'kind: Cluster # half-way', step: 'machines' };

test('a draft survives, with its revision; whoever comes late with an old one changes nothing', async () => {
  expect((await send(alice, 'PUT', '/one', draft, 0)).json).toMatchObject({
    revision: 1,
    owner: 'token:alice',
  });
  const read = await send(alice, 'GET', '/one');
  expect([read.json, read.headers['etag']]).toEqual([expect.objectContaining(draft), '"1"']);
  expect((await send(alice, 'PUT', '/one', { ...draft, text: 'two' }, 1)).status).toBe(200);
  for (const revision of [0, 1, 3, undefined]) {
    const late = await send(alice, 'PUT', '/one', { ...draft, text: 'late' }, revision);
    expect([late.status, codeOf(late)]).toEqual([revision === undefined ? 409 : 412, 'ACCESS-021']);
  }
  expect((await send(alice, 'GET', '/one')).json).toMatchObject({ text: 'two', revision: 2 });
});

test("others' drafts are not there, shared ones are; only who made one deletes it", async () => {
  await send(alice, 'PUT', '/mine', draft, 0);
  await send(alice, 'PUT', '/ours', { ...draft, isShared: true }, 0);
  expect((await send(bob, 'GET', '/mine')).status).toBe(404);
  expect((await send(bob, 'PUT', '/mine', draft, 1)).status).toBe(404);
  expect((await send(bob, 'DELETE', '/mine')).status).toBe(404);
  expect(
    ((await send(bob, 'GET', '')).json as { items: { id: string }[] }).items.map(({ id }) => id),
  ).toEqual(['ours']);
  const { token: mere } = site.tokens.issue({ name: 'mere', role: 'user', days: 1 });
  expect((await send(mere, 'GET', '')).json).toEqual({ items: [] });
  expect((await send(mere, 'GET', '/ours')).status).toBe(404);
  expect((await send(bob, 'PUT', '/ours', { ...draft, isShared: false }, 1)).json).toMatchObject({
    isShared: true,
    owner: 'token:alice',
    updatedBy: 'token:bob',
  });
  expect(codeOf(await send(bob, 'DELETE', '/ours'))).toBe('ACCESS-024');
  expect((await send(alice, 'DELETE', '/ours')).status).toBe(204);
});

test('no secret is kept in one, and no text of one stands readable in the state', async () => {
  const text = 'apiVersion: v1\nkind: Secret\nstringData: { password: canary-1 }\n';
  expect(codeOf(await send(alice, 'PUT', '/one', { ...draft, text }, 0))).toBe('ACCESS-022');
  await send(alice, 'PUT', '/one', { ...draft, text: 'password: canary-2' }, 0);
  const kept = ['state.db', 'state.db-wal']
    .map((file) => readFileSync(join(site.folder, file)).toString('latin1'))
    .join('');
  expect(kept).toContain('a first cluster');
  expect(kept).not.toMatch(/canary-[12]/);
});

test('somebody else who has it open is seen, live, until she closes it or falls silent', async () => {
  await send(alice, 'PUT', '/ours', { ...draft, isShared: true }, 0);
  await send(alice, 'PUT', '/mine', draft, 0);
  const socket = io(site.url, {
    path: livePath,
    transports: ['websocket'],
    auth: { token: bob },
    ca: site.authority.certificate,
    reconnection: false,
    forceNew: true,
  });
  const told: unknown[] = [];
  socket.on('draft.presence', (presence: { readonly draft: string }) => told.push(presence.draft));
  try {
    await new Promise((done) => {
      socket.once('connect', () => done(undefined));
    });
    const closed = new Promise((done) => {
      socket.on('draft.presence', ({ who }: { readonly who: unknown[] }) => {
        if (who.length === 0) done(undefined);
      });
    });
    await send(alice, 'PUT', '/mine/presence');
    expect((await send(alice, 'PUT', '/ours/presence')).json).toMatchObject({
      draft: 'ours',
      who: [{ id: 'token:alice', name: 'alice' }],
    });
    expect((await send(bob, 'GET', '/ours')).json).toMatchObject({ openedBy: [{ id: 'token:alice' }] });
    await send(alice, 'DELETE', '/ours/presence');
    await closed;
    expect(told).toEqual(['ours', 'ours']);
  } finally {
    socket.disconnect();
  }
  await send(alice, 'PUT', '/ours/presence');
  site.advance(46_000);
  expect((await send(bob, 'GET', '/ours')).json).toMatchObject({ openedBy: [] });
});
