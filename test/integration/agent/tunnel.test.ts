import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { ClientCertificates } from '../../../appliance/agent/client-certificates.ts';
import { drawClusterKeys } from '../../../appliance/agent/pki.ts';
import { streamOver } from '../../../appliance/agent/tunnel.ts';
import { issue } from '../../fleet/etcd-processes.ts';

let server: Server | undefined;
afterEach(async () => {
  server?.closeAllConnections();
  server?.close();
  if (server !== undefined) await once(server, 'close');
  server = undefined;
});

/** Pieces of the answer of a server that says `first`, and `rest` when it is given. */
async function answer(options: {
  readonly first: string;
  readonly rest?: string;
  readonly status?: number;
  readonly patience: number;
}): Promise<AsyncGenerator<Buffer>> {
  const keys = await drawClusterKeys('tunnel');
  const { certificate, key } = await issue(keys.etcd, 'm1', '127.0.0.1');
  server = createServer({ cert: certificate, key }, (_request, response) => {
    response.writeHead(options.status ?? 200);
    response.write(options.first);
    if (options.rest !== undefined) response.end(options.rest);
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return streamOver(
    () => connect({ host: '127.0.0.1', port }),
    await new ClientCertificates(async () => keys).etcd(),
    { method: 'POST', path: '/', body: '{}' },
    { patience: options.patience, signal: new AbortController().signal, what: 'etcd on m1' },
  );
}

async function textOf(pieces: AsyncGenerator<Buffer>, pause = 0): Promise<string> {
  let text = '';
  for await (const piece of pieces) {
    text += piece.toString('utf8');
    if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause));
  }
  return text;
}

describe('an answer that is read as it comes', () => {
  it('is given up when the other end falls silent', async () => {
    const pieces = await answer({ first: 'a', patience: 1000 });
    await expect(textOf(pieces)).rejects.toMatchObject({
      report: { kind: 'transient', code: 'TLS-001', summary: expect.stringContaining('silent for 1 s') },
    });
  });

  it('may be read as slowly as the reader likes', async () => {
    const pieces = await answer({ first: 'a', rest: 'b', patience: 1000 });
    expect(await textOf(pieces, 1500)).toBe('ab');
  });

  it('counts with status 200 alone', async () => {
    const pieces = await answer({ first: 'a', rest: 'b', status: 503, patience: 5000 });
    await expect(textOf(pieces)).rejects.toMatchObject({
      report: { code: 'TLS-001', summary: expect.stringContaining('503') },
    });
  });

  it('closes the connection of whoever leaves early', async () => {
    const pieces = await answer({ first: 'a', patience: 5000 });
    await pieces.next();
    await pieces.return(undefined);
    await expect
      .poll(() => new Promise((resolve) => server?.getConnections((_error, count) => resolve(count))))
      .toBe(0);
  });
});
