import { execFile } from 'node:child_process';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { connect } from 'node:tls';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { installList } from '../../../provisioners/payload/install-list.ts';
import {
  PayloadServer,
  type ServedPayload,
  type ServedRequest,
} from '../../../provisioners/payload/server.ts';
import { assertIntact, verifyPayload } from '../../../provisioners/payload/verify.ts';
import { newKey, PARTS, sha256, temporaryFolder, writeSample } from '../../unit/payload/sample.ts';
import { loopbackCertificate } from './certificate.ts';

const run = promisify(execFile);
const key = newKey('local build');
let server: PayloadServer;
let port: number;
let payload: ServedPayload;
let certificate: string;
let log: ServedRequest[];

beforeEach(async () => {
  const made = await loopbackCertificate();
  certificate = made.certificate;
  log = [];
  server = new PayloadServer({
    ...made,
    address: '127.0.0.1',
    port: 0,
    connections: 8,
    onRequest: (one) => log.push(one),
  });
  port = await server.start();
  payload = await verified(3);
  server.publish(payload);
});
afterEach(() => server.stop());

async function verified(sequence: number): Promise<ServedPayload> {
  const folder = await writeSample(key, sequence);
  const found = assertIntact(
    folder,
    await verifyPayload({ folder, trusted: [key], acceptedSequence: () => 0 }),
  );
  return { folder, manifest: found.manifest, digest: found.digest };
}

interface Reply {
  readonly status: number;
  readonly headers: Record<string, unknown>;
  readonly body: Buffer;
}

function get(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: '127.0.0.1', port, path, method, headers, ca: certificate, agent: false },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('end', () =>
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(chunks) }),
        );
        answer.on('error', reject);
      },
    );
    sent.on('error', reject);
    sent.end();
  });
}

const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });
const urlOf = (path: string): string => `/payloads/${payload.digest}/${path}`;

test('a machine gets every part of its list by curl, with the token in a file, and each digest fits', async () => {
  const token = server.grant('c1/w-1 operation 1', payload.digest);
  const folder = await temporaryFolder();
  await writeFile(join(folder, 'ca.pem'), certificate);
  await writeFile(join(folder, 'curl.conf'), `header = "Authorization: Bearer ${token}"\n`, { mode: 0o600 });
  const list = installList(payload.manifest, payload.digest, 'control-plane', ['dns']);
  expect(list.files.length + list.images.length).toBe(Object.keys(PARTS).length);
  for (const [index, part] of [...list.files, ...list.images].entries()) {
    const out = join(folder, `part-${index}`);
    const url = `https://127.0.0.1:${port}${part.url}`;
    await run('curl', [
      '--fail',
      '--silent',
      '--config',
      join(folder, 'curl.conf'),
      '--cacert',
      join(folder, 'ca.pem'),
      '--output',
      out,
      url,
    ]);
    expect(sha256(await readFile(out))).toBe(part.sha256);
  }
  expect(log.map((one) => one.grantedTo)).toContain('c1/w-1 operation 1');
});

test('curl resumes a part that broke off', async () => {
  const token = server.grant('c1/w-1', payload.digest);
  const folder = await temporaryFolder();
  await writeFile(join(folder, 'ca.pem'), certificate);
  await writeFile(join(folder, 'curl.conf'), `header = "Authorization: Bearer ${token}"\n`, { mode: 0o600 });
  const out = join(folder, 'kubeadm');
  await writeFile(out, PARTS['files/kubeadm'].slice(0, 5));
  const url = `https://127.0.0.1:${port}${urlOf('files/kubeadm')}`;
  await run('curl', [
    '--fail',
    '--silent',
    '--continue-at',
    '-',
    '--config',
    join(folder, 'curl.conf'),
    '--cacert',
    join(folder, 'ca.pem'),
    '--output',
    out,
    url,
  ]);
  expect(await readFile(out, 'utf8')).toBe(PARTS['files/kubeadm']);
  expect(log.at(-1)).toMatchObject({ status: 206, sent: 13 });
});

describe('who is let in', () => {
  test('nobody without a token, with a wrong, a revoked, a replaced or an expired one', async () => {
    const url = urlOf('files/kubeadm');
    const revoked = server.grant('c1/w-1', payload.digest);
    server.revoke('c1/w-1');
    const replaced = server.grant('c1/w-2', payload.digest);
    server.grant('c1/w-2', payload.digest);
    const expired = server.grant('c1/w-3', payload.digest, -1);
    const attempts = [
      {},
      bearer('wrong'),
      bearer(''),
      bearer(revoked),
      bearer(replaced),
      bearer(expired),
      { authorization: `Basic ${replaced}` },
    ];
    for (const headers of attempts) {
      const reply = await get(url, headers);
      expect(reply).toMatchObject({ status: 401 });
      expect(reply.body).toHaveLength(0);
    }
  });

  test('a token opens its own payload only, and what it does not open looks absent', async () => {
    const other = await verified(4);
    server.publish(other);
    const token = server.grant('c2/w-1', other.digest);
    expect((await get(urlOf('files/kubeadm'), bearer(token))).status).toBe(404);
    expect((await get(`/payloads/${other.digest}/files/kubeadm`, bearer(token))).status).toBe(200);
    server.withdraw(other.digest);
    expect((await get(`/payloads/${other.digest}/files/kubeadm`, bearer(token))).status).toBe(401);
  });

  test('no token appears in what is logged', async () => {
    const token = server.grant('c1/w-1', payload.digest);
    await get(urlOf('files/kubeadm'), bearer(token));
    await get(`/${'x'.repeat(500)}`, bearer(token));
    expect(JSON.stringify(log)).not.toContain(token);
    expect(log.at(-1)?.path).toHaveLength(100);
  });
});

describe('what can be asked', () => {
  test.each([
    '/',
    '/payloads/',
    '../../../../etc/passwd',
    'files/../../../../../etc/passwd',
    'files/%2e%2e/%2e%2e/manifest.json',
    'files/..%2f..%2f..%2fetc%2fpasswd',
    'files//kubeadm',
    'files/kubeadm/',
    'files/kubeadm?x=1',
    'files',
    'manifest.json',
    'manifest.json.sig',
    'files/kubeadm%00',
  ])('%j is not there', async (path) => {
    const token = server.grant('c1/w-1', payload.digest);
    const reply = await get(path.startsWith('/') ? path : urlOf(path), bearer(token));
    expect(reply).toMatchObject({ status: 404 });
    expect(reply.body).toHaveLength(0);
  });

  test.each(['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])('%s is refused', async (method) => {
    const token = server.grant('c1/w-1', payload.digest);
    expect(await get(urlOf('files/kubeadm'), bearer(token), method)).toMatchObject({ status: 405 });
  });

  test('ranges: a part, an end, past the end, of another version', async () => {
    const token = server.grant('c1/w-1', payload.digest);
    const text = PARTS['files/kubeadm'];
    const ask = (range: string, more = {}): Promise<Reply> =>
      get(urlOf('files/kubeadm'), { ...bearer(token), range, ...more });
    const part = await ask('bytes=4-10');
    expect([part.status, part.body.toString(), part.headers['content-range']]).toEqual([
      206,
      text.slice(4, 11),
      `bytes 4-10/${text.length}`,
    ]);
    expect((await ask('bytes=-6')).body.toString()).toBe(text.slice(-6));
    expect(await ask(`bytes=${text.length}-`)).toMatchObject({ status: 416 });
    expect(await ask('bytes=4-10', { 'if-range': '"another"' })).toMatchObject({ status: 200 });
    expect(await ask('bytes=4-10', { 'if-range': `"${sha256(text)}"` })).toMatchObject({ status: 206 });
    const head = await get(urlOf('files/kubeadm'), bearer(token), 'HEAD');
    expect([head.status, head.headers['content-length'], head.body.length]).toEqual([
      200,
      String(text.length),
      0,
    ]);
  });
});

test('connections are bounded, and free ones are usable again', async () => {
  const token = server.grant('c1/w-1', payload.digest);
  const sockets = Array.from({ length: 8 }, () => connect({ host: '127.0.0.1', port, ca: certificate }));
  await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once('secureConnect', resolve))));
  await expect(get(urlOf('files/kubeadm'), bearer(token))).rejects.toThrow();
  await Promise.all(
    sockets.map((socket) => new Promise((resolve) => socket.once('close', resolve).destroy())),
  );
  await expect
    .poll(() =>
      get(urlOf('files/kubeadm'), bearer(token)).then(
        (one) => one.status,
        () => 0,
      ),
    )
    .toBe(200);
});

test('stop ends it, twice is once, and the payload is untouched', async () => {
  await server.stop();
  await server.stop();
  await expect(get(urlOf('files/kubeadm'))).rejects.toThrow(/ECONNREFUSED/);
  expect((await stat(join(payload.folder, 'files/kubeadm'))).size).toBe(PARTS['files/kubeadm'].length);
});
