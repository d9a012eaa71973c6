import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ClientCertificates } from '../../../appliance/agent/client-certificates.ts';
import { KeptConnections } from '../../../appliance/agent/kept-connections.ts';
import { drawClusterKeys } from '../../../appliance/agent/pki.ts';
import { callOver, type TlsIdentity } from '../../../appliance/agent/tunnel.ts';
import { Transient } from '../../../provisioners/contract/problem.ts';
import { issue } from '../../fleet/etcd-processes.ts';

let server: Server;
let kept: KeptConnections;
let identity: TlsIdentity;
let port: number;
const sockets = new Set<Duplex>();
let opened = 0;
/** What the server does with a request; by default it answers its path. */
let onRequest: ((path: string) => 'answer' | 'hang' | 'cut') | undefined;

beforeEach(async () => {
  const keys = await drawClusterKeys('kept');
  const { certificate, key } = await issue(keys.etcd, 'm1', '127.0.0.1');
  const tls = {
    cert: certificate,
    key,
    ca: keys.etcd.certificate,
    requestCert: true,
    rejectUnauthorized: true,
  };
  server = createServer(tls, (request, response) => {
    const what = onRequest?.(request.url ?? '') ?? 'answer';
    if (what === 'answer') response.end(request.url);
    if (what === 'cut') request.socket.destroy();
  });
  server.on('connection', (socket) => {
    opened += 1;
    sockets.add(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ({ port } = server.address() as AddressInfo);
  identity = await new ClientCertificates(async () => keys).etcd();
  kept = new KeptConnections();
  opened = 0;
  onRequest = undefined;
});

afterEach(async () => {
  kept.close();
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  server.close();
  await once(server, 'close');
});

const ask = async (path: string, patience = 5000): Promise<string> =>
  (
    await callOver(
      () => connect({ host: '127.0.0.1', port }),
      identity,
      { method: 'GET', path },
      { patience, signal: new AbortController().signal, what: 'the server', kept, server: 'one' },
    )
  ).text;

describe('connections that are used again (health, K6: cheap at 200 clusters)', () => {
  test('ten questions cost one handshake, and each gets its own answer', async () => {
    for (let number = 0; number < 10; number += 1) expect(await ask(`/${number}`)).toBe(`/${number}`);
    expect(opened).toBe(1);
    const both = await Promise.all([ask('/a'), ask('/b'), ask('/c')]);
    expect(both).toEqual(['/a', '/b', '/c']);
    expect(opened).toBeLessThanOrEqual(3);
  });

  test('a server that has closed the connection meanwhile is asked over another: nobody is called silent for that', async () => {
    expect(await ask('/one')).toBe('/one');
    onRequest = (path) => {
      onRequest = undefined;
      return path === '/two' ? 'cut' : 'answer';
    };
    expect(await ask('/two')).toBe('/two');
    expect(opened).toBe(2);
  });

  test('a server that does not answer is silent after its time, also over a connection that was good before', async () => {
    expect(await ask('/one')).toBe('/one');
    onRequest = () => 'hang';
    await expect(ask('/two', 300)).rejects.toThrow(Transient);
    onRequest = undefined;
    expect(await ask('/three')).toBe('/three');
  });

  test('a server that is not there, or that another authority signed for, is silent', async () => {
    const stranger = await drawClusterKeys('stranger');
    identity = { ...identity, authority: stranger.etcd.certificate };
    await expect(ask('/one')).rejects.toThrow(Transient);
    port = 1;
    await expect(ask('/two')).rejects.toThrow(Transient);
  });
});
