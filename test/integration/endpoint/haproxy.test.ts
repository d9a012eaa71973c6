import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { get as getPlainly } from 'node:http';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { haproxyConfig } from '../../../provisioners/kubernetes/endpoint-config.ts';
import { unpackedPackages } from '../../fleet/debian-program.ts';
import { machineNamed } from '../../unit/kubernetes/fake-context.ts';
import { freePort } from '../backup/free-port.ts';
import { loopbackCertificate } from '../payload/certificate.ts';
import { FakeApiServer } from './fake-api-server.ts';

/*
 * Debian's haproxy with the file that a master gets, in front of API servers that are fakes: what becomes of those whom
 * one of them serves while it ends, and while it is not ready for another reason (H10).
 */
let folder: string;
let haproxy: ChildProcess;
let servers: [FakeApiServer, FakeApiServer];
let ports: { api: number; endpoint: number; status: number };

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'remuda-haproxy-'));
  ports = { api: await freePort(), endpoint: await freePort(), status: await freePort() };
  const keys = await loopbackCertificate();
  const listen = (number: number) =>
    FakeApiServer.listen(`c-cp-${number}`, `127.0.0.${number}`, ports.api, keys);
  servers = [await listen(1), await listen(2)];
  const config = haproxyConfig({
    machine: machineNamed('c-cp-1'),
    network: { interface: 'lo', prefix: 8 },
    masters: servers.map(({ name }, index) => ({ name, address: `127.0.0.${index + 1}` })),
    endpoint: { host: '127.0.0.1', port: ports.endpoint },
    apiPort: ports.api,
  });
  // Another haproxy of this machine may have the port that a master has for it alone.
  const own = config.replace('bind 127.0.0.1:6445', `bind 127.0.0.1:${ports.status}`);
  writeFileSync(join(folder, 'haproxy.cfg'), own);
  const root = unpackedPackages('haproxy', 'liblua5.3-0', 'libopentracing-c-wrapper0', 'libopentracing1');
  haproxy = spawn(join(root, 'usr/sbin/haproxy'), ['-db', '-f', join(folder, 'haproxy.cfg')], {
    env: { LD_LIBRARY_PATH: join(root, 'usr/lib/x86_64-linux-gnu') },
    stdio: 'ignore',
  });
  await expect.poll(whoAnswers).toEqual(['c-cp-1', 'c-cp-2']);
});

afterEach(async () => {
  haproxy.kill();
  if (haproxy.exitCode === null && haproxy.signalCode === null) await once(haproxy, 'exit');
  await Promise.all(servers.map((server) => server.close()));
  rmSync(folder, { recursive: true, force: true });
});

/** Asks through the balancer, on a connection of its own. */
const ask = (path: string): Promise<string> =>
  new Promise((settle) => {
    get(
      { host: '127.0.0.1', port: ports.endpoint, path, agent: false, rejectUnauthorized: false },
      (response) => settle(text(response)),
    ).on('error', (error) => settle(error.message));
  });

/** The names of all who answer six requests, made one after the other, so that each in turn is asked. */
async function whoAnswers(): Promise<string[]> {
  const names: string[] = [];
  for (let count = 0; count < 6; count += 1) names.push(await ask('/'));
  return [...new Set(names)].toSorted();
}

/** What keepalived is told: whether this machine may hold the address. */
const mayHold = (): Promise<boolean> =>
  new Promise((settle) => {
    getPlainly({ host: '127.0.0.1', port: ports.status, path: '/endpoint', agent: false }, (response) => {
      response.resume();
      settle(response.statusCode === 200);
    }).on('error', () => settle(false));
  });

/** One request that each of both is busy with. */
async function askBoth(): Promise<Promise<string>[]> {
  const asked = [ask('/slow'), ask('/slow')];
  await expect.poll(() => servers.map(({ waiting }) => waiting)).toEqual([1, 1]);
  return asked;
}

describe('the balancer of a master (H10, V6; complaint 5)', () => {
  it('lets an API server that ends finish what it was asked, and sends it nobody new', async () => {
    const asked = await askBoth();
    servers[0].readiness = 'ending';
    await expect.poll(whoAnswers).toEqual(['c-cp-2']);
    for (const server of servers) server.answer();
    expect((await Promise.all(asked)).toSorted()).toEqual(['c-cp-1', 'c-cp-2']);
    servers[0].readiness = 'ready';
    await expect.poll(whoAnswers).toEqual(['c-cp-1', 'c-cp-2']);
  });

  it('sends away whom an API server serves that is not ready for another reason: they would stay with it', async () => {
    const asked = await askBoth();
    servers[0].readiness = 'without etcd';
    await expect.poll(whoAnswers).toEqual(['c-cp-2']);
    await expect.poll(mayHold).toBe(false);
    for (const server of servers) server.answer();
    const answers = await Promise.all(asked);
    expect(answers).toContain('c-cp-2');
    expect(answers).not.toContain('c-cp-1');
  });

  it('lets another hold the address when the API server of its own machine is gone', async () => {
    expect(await mayHold()).toBe(true);
    await servers[0].close();
    await expect.poll(mayHold).toBe(false);
    expect(await whoAnswers()).toEqual(['c-cp-2']);
    const again = await FakeApiServer.listen('c-cp-1', '127.0.0.1', ports.api, await loopbackCertificate());
    servers = [again, servers[1]];
    await expect.poll(mayHold).toBe(true);
  });

  it('gives a busy API server four seconds to say that it is ready, before it sends anybody away', async () => {
    const asked = await askBoth();
    servers[0].hesitation = 3000;
    await new Promise((resolve) => setTimeout(resolve, 5000));
    for (const server of servers) server.answer();
    expect((await Promise.all(asked)).toSorted()).toEqual(['c-cp-1', 'c-cp-2']);
  });
});
