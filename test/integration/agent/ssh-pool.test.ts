import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import ssh2 from 'ssh2';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MachinePool } from '../../../appliance/agent/ssh/pool.ts';
import type { MachineRef } from '../../../provisioners/contract/machine.ts';
import { generateSshKey } from '../../../provisioners/contract/ssh-key.ts';

const provisional = generateSshKey('provisional');
const own = generateSshKey('own');
const { private: privateKey } = generateSshKey('cluster');

/** An SSH server that lets everybody in and shows this host key. */
const showing = (hostKey: string): ssh2.Server =>
  new ssh2.Server({ hostKeys: [hostKey] }, (session) => {
    session.on('error', () => {});
    session.on('authentication', (attempt) => attempt.accept());
  });

/** The machine's door: whoever comes is handed to the server that shows the host key of the day. */
let sshd: ssh2.Server;
let door: Server;
let pool: MachinePool;
const visits: Socket[] = [];

beforeEach(async () => {
  visits.length = 0;
  sshd = showing(provisional.private);
  door = createServer((socket) => {
    visits.push(socket);
    sshd.injectSocket(socket);
  });
  await new Promise<void>((resolve) => door.listen(0, '127.0.0.1', resolve));
  pool = new MachinePool();
});

afterEach(async () => {
  await pool.stop();
  for (const socket of visits) socket.destroy();
  await new Promise((resolve) => door.close(resolve));
});

const accepting = (...hostKeys: string[]): MachineRef => ({
  name: 'm-1',
  address: '127.0.0.1',
  port: (door.address() as AddressInfo).port,
  user: 'root',
  hostKeys,
});
const connect = (machine: MachineRef) => pool.connect(machine, privateKey);

describe('connections to a machine whose host key is replaced', () => {
  it('shares a connection whose machine has shown a key that the new reference accepts too', async () => {
    const first = await connect(accepting(provisional.public));
    expect(await connect(accepting(provisional.public, own.public))).toBe(first);
    expect(await connect(accepting(own.public, provisional.public))).toBe(first);
    expect(visits).toHaveLength(1);
  });

  it('never shares one whose machine has shown a key that the new reference does not accept', async () => {
    const both = await connect(accepting(provisional.public, own.public));
    await expect(connect(accepting(own.public))).rejects.toMatchObject({ report: { code: 'SSH-002' } });
    sshd = showing(own.private);
    const pinned = await connect(accepting(own.public));
    expect(pinned).not.toBe(both);
    // Who is in stays in; who accepts both keys may keep the old connection.
    expect(await connect(accepting(provisional.public, own.public))).toBe(both);
    expect(visits).toHaveLength(3);
  });

  it('shares with nobody who goes there as another user', async () => {
    const first = await connect(accepting(provisional.public));
    const other = { ...accepting(provisional.public, own.public), user: 'admin' };
    expect(await connect(other)).not.toBe(first);
    expect(visits).toHaveLength(2);
  });

  it('makes a new one when the shared one was dropped, under whichever name', async () => {
    const narrow = accepting(provisional.public);
    const wide = accepting(provisional.public, own.public);
    const first = await connect(narrow);
    expect(await connect(wide)).toBe(first);
    await pool.drop(wide);
    const second = await connect(narrow);
    expect(second).not.toBe(first);
    expect(second.isOpen).toBe(true);
    expect(await connect(wide)).toBe(second);
    expect(visits).toHaveLength(2);
  });
});
