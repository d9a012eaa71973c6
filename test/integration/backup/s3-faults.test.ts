import { mkdtempSync, rmSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, request, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { drawIdentity } from '../../../appliance/agent/sealing.ts';
import type { BackupManifest, BackupPlace } from '../../../provisioners/contract/backup.ts';
import type { BackupPort } from '../../../provisioners/contract/ports/backup.ts';
import { loopbackCertificate } from '../payload/certificate.ts';
import { fakeDatabase, fakeSnapshot } from './database.ts';
import { type Moto, startMoto } from './moto.ts';
import { realPort } from './port.ts';
import { freePort } from './free-port.ts';

/** What the fake fault proxy does to a request instead of passing it on; undefined = it passes. */
type Fault = 'busy' | 'unknown' | 'cut before' | 'cut answer' | undefined;

let moto: Moto;
let folder: string;
let proxy: Server;
let port: BackupPort;
let place: BackupPlace;
/** Method and query of each request, in order. */
let seen: string[] = [];
let faultOf: (request: string) => Fault = () => undefined;

beforeAll(async () => {
  moto = await startMoto();
  folder = mkdtempSync(join(tmpdir(), 'remuda-s3-'));
});
afterAll(async () => {
  await moto?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

beforeEach(async () => {
  const { certificate, privateKey } = await loopbackCertificate();
  proxy = createServer({ cert: certificate, key: privateKey }, handle);
  proxy.on('clientError', () => {});
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const endpoint = `https://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  // A cluster of its own for each test.
  const cluster = { uid: `c0ffee-${await freePort()}`, name: 'c' };
  place = { cluster, destination: { ...moto.bucket, endpoint, authority: certificate } };
  port = await realPort({
    identity: await drawIdentity(),
    stateFolder: folder,
    secrets: { 'backup-s3': moto.credentials },
  });
  seen = [];
  faultOf = () => undefined;
});
afterEach(async () => {
  proxy.closeAllConnections();
  await new Promise((resolve) => proxy.close(resolve));
});

function handle(asked: IncomingMessage, response: ServerResponse): void {
  const { pathname, search } = new URL(asked.url ?? '/', 'https://proxy');
  const what = `${asked.method ?? ''} ${pathname.replace(/^.*\./, '.')}${search.replace(/uploadId=[^&]*/, 'uploadId')}`;
  seen.push(what);
  const fault = faultOf(what);
  if (fault === 'cut before') {
    // After the first bytes of the body, if it has any.
    asked.once('data', () => asked.socket.destroy());
    asked.once('end', () => asked.socket.destroy());
    return;
  }
  if (fault === 'busy' || fault === 'unknown') {
    const [status, code] = fault === 'busy' ? [503, 'SlowDown'] : [501, 'NotImplemented'];
    asked.resume().once('end', () => {
      response.writeHead(status, { 'content-type': 'application/xml' });
      response.end(`<Error><Code>${code}</Code><Message>secret of the server</Message></Error>`);
    });
    return;
  }
  const { port: to } = new URL(moto.bucket.endpoint);
  const passed = request(
    {
      host: '127.0.0.1',
      port: to,
      path: asked.url,
      method: asked.method,
      headers: asked.headers,
      ca: moto.bucket.authority,
    },
    (answer) => {
      if (fault === 'cut answer') {
        cutAnswer(answer, response);
        return;
      }
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    },
  );
  passed.on('error', () => response.destroy());
  asked.pipe(passed);
}

/** Passes the first piece of the body on, if it has one, and cuts the line. */
function cutAnswer(answer: IncomingMessage, response: ServerResponse): void {
  answer.once('data', (chunk: Buffer) => {
    response.writeHead(answer.statusCode ?? 500, answer.headers);
    response.write(chunk, () => response.destroy());
  });
  answer.once('end', () => response.destroy());
}

/** Strikes the first so many requests that match. */
function strike(pattern: RegExp, fault: Fault, times = Number.POSITIVE_INFINITY): void {
  let left = times;
  faultOf = (what) => {
    if (!pattern.test(what) || left === 0) return undefined;
    left -= 1;
    return fault;
  };
}

// Three parts of an upload.
const content = fakeDatabase(35_000);
const take = (key = 'op-1/etcd.snapshot'): Promise<BackupManifest> =>
  port.take(
    place,
    { key, at: '2026-11-21T05:00:00.000Z', kubernetesVersion: 'v1.20.2', recipients: [] },
    async () => fakeSnapshot(content),
  );
const objects = async (): Promise<string[]> =>
  [...(await moto.objects()).keys()].filter((name) => name.includes(place.cluster.uid));

describe('an S3 server with faults (fake proxy before moto)', () => {
  it('takes a large one in parts', async () => {
    await take();
    expect(seen.filter((what) => what.startsWith('PUT') && what.includes('partNumber'))).toHaveLength(3);
    expect(await objects()).toHaveLength(2);
  });

  it('does without a list of uploads where the server knows none', async () => {
    strike(/^GET .*[?&]uploads/, 'unknown');
    const kept = await take();
    expect(await port.list(place)).toEqual([kept]);
    expect(seen.some((what) => /[?&]uploads/.test(what))).toBe(true);
  });

  it.each<readonly [string, RegExp, Fault]>([
    ['a part is refused for a moment', /^PUT .*partNumber=2/, 'busy'],
    ['the line is cut in a part', /^PUT .*partNumber=2/, 'cut before'],
    ['the answer to a part is lost', /^PUT .*partNumber=3/, 'cut answer'],
    ['the manifest is refused for a moment', /^PUT \.json/, 'busy'],
    ['the list is refused for a moment', /^GET .*list-type/, 'busy'],
  ])('goes on when %s', async (_how, pattern, fault) => {
    strike(pattern, fault, 1);
    const kept = await take();
    expect(await port.list(place)).toEqual([kept]);
    expect(await moto.uploads()).toEqual([]);
  });

  it.each<readonly [string, RegExp, Fault, string]>([
    ['no part is ever taken', /^PUT .*partNumber=2/, 'busy', 'BACKUP-021'],
    ['every part is cut', /^PUT .*partNumber=2/, 'cut before', 'OUTGOING-003'],
    ['the upload cannot be completed', /^POST .*uploadId/, 'busy', 'BACKUP-021'],
    ['it cannot be read back', /^GET \.age/, 'busy', 'BACKUP-021'],
    ['reading back is cut', /^GET \.age/, 'cut answer', 'OUTGOING-003'],
    ['the manifest is not taken', /^PUT \.json/, 'busy', 'BACKUP-021'],
  ])('keeps nothing that counts when %s, and tries again', async (_how, pattern, fault, code) => {
    strike(pattern, fault);
    const taken = take();
    await expect(taken).rejects.toMatchObject({ report: { kind: 'transient', code } });
    await taken.catch((error: Error) => expect(error.message).not.toContain('secret of the server'));
    expect(await moto.uploads()).toEqual([]);
    faultOf = () => undefined;
    expect(await port.list(place)).toEqual([]);
    const kept = await take();
    expect(await port.list(place)).toEqual([kept]);
    expect(await objects()).toHaveLength(2);
  });
});
