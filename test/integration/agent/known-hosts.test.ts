import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HostKeys } from '../../../appliance/agent/host-keys.ts';
import { readHostKey } from '../../../appliance/agent/ssh/host-key.ts';
import type { HostPort } from '../../../provisioners/contract/ports/host.ts';
import { freePort } from '../backup/free-port.ts';
import { listens } from '../backup/sshd.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'remuda-known-hosts-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** A host key as OpenSSH makes it: `type base64`. */
function drawKey(type: string): string {
  execFileSync('ssh-keygen', ['-q', '-t', type, '-N', '', '-f', join(folder, type)]);
  const [kind, key] = readFileSync(join(folder, `${type}.pub`), 'utf8').split(' ');
  return `${kind} ${key}`;
}

/** A real OpenSSH server with these host keys. */
async function sshdWith(types: readonly string[]): Promise<{ port: number } & AsyncDisposable> {
  const port = await freePort();
  const lines = [`Port ${port}`, 'ListenAddress 127.0.0.1', 'UsePAM no', 'StrictModes no'];
  const keys = types.map((type) => `HostKey ${join(folder, type)}`);
  writeFileSync(
    join(folder, 'config'),
    `${[...lines, ...keys, `PidFile ${join(folder, 'pid')}`].join('\n')}\n`,
  );
  mkdirSync('/run/sshd', { recursive: true });
  const child = spawn('/usr/sbin/sshd', ['-D', '-e', '-f', join(folder, 'config')], { stdio: 'ignore' });
  for (let look = 0; look < 300 && !(await listens(port)); look += 1) await sleep(100);
  return {
    port,
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      if (child.exitCode === null) await once(child, 'exit');
    },
  };
}

/** A file of known hosts whose names OpenSSH itself has hashed. */
function hashed(lines: readonly string[]): string {
  const path = join(folder, 'known_hosts');
  writeFileSync(path, `${lines.join('\n')}\n`);
  execFileSync('ssh-keygen', ['-H', '-f', path], { stdio: 'ignore' });
  return readFileSync(path, 'utf8');
}

/** The one port that is asked, over the network as the agent does it. */
const host = {
  hostKeyAt: (address: string, port: number, types?: readonly string[]) => readHostKey(address, port, types),
} as HostPort;

const fingerprint = (type: string): string =>
  execFileSync('ssh-keygen', ['-l', '-f', join(folder, `${type}.pub`)], { encoding: 'utf8' }).split(' ')[1] ??
  '';

describe('files of known hosts, as OpenSSH writes them, against its server (H23)', () => {
  it('a machine with two keys is asked for the one that was given, and what is not its own is refused', async () => {
    const [rsa] = [drawKey('rsa'), drawKey('ed25519')];
    await using sshd = await sshdWith(['rsa', 'ed25519']);
    const door = { address: '127.0.0.1', port: sshd.port };
    const file = hashed([`[127.0.0.1]:${sshd.port} ${rsa}`]);
    expect(file).toContain('|1|');
    expect(await new HostKeys({ knownHosts: file }).requireOf(host, door)).toBe(rsa);
    // Without a file the newer type is what is shown to a person, as ssh-keygen prints it.
    const { key, judged } = await new HostKeys({}).lookAt(host, { ...door, name: 'm-1' });
    expect([key.split(' ')[0], judged]).toEqual(['ssh-ed25519', undefined]);
    expect(await new HostKeys({ hostKey: fingerprint('ed25519') }).requireOf(host, door)).toBe(key);
    const foreign = drawKey('ecdsa');
    const other = new HostKeys({ knownHosts: hashed([`[127.0.0.1]:${sshd.port} ${foreign}`]) });
    await expect(other.requireOf(host, door)).rejects.toMatchObject({ report: { code: 'ADOPT-001' } });
    // The same key at port 22 vouches for another server.
    const elsewhere = new HostKeys({ knownHosts: hashed([`127.0.0.1 ${rsa}`]) });
    await expect(elsewhere.requireOf(host, door)).rejects.toMatchObject({ report: { code: 'ADOPT-013' } });
  });

  it('patterns, several names and exceptions fit as ssh(1) has them; the name of a Node counts as well', async () => {
    const key = drawKey('ed25519');
    const port: HostPort = { ...host, hostKeyAt: async () => key };
    const isGiven = async (line: string, address: string, name: string): Promise<boolean> => {
      const { judged } = await new HostKeys({ knownHosts: line }).lookAt(port, { address, name, port: 22 });
      return judged?.given.includes(judged.shown) === true;
    };
    expect(await isGiven(`10.1.0.?,cp-* ${key}`, '10.1.0.7', 'w-1')).toBe(true);
    expect(await isGiven(`10.1.0.?,cp-* ${key}`, '10.2.0.17', 'CP-1')).toBe(true);
    expect(await isGiven(`10.1.0.?,cp-* ${key}`, '10.1.0.17', 'w-1')).toBe(false);
    expect(await isGiven(`10.1.0.*,!10.1.0.9 ${key}`, '10.1.0.9', 'w-1')).toBe(false);
    expect(await isGiven(`@cert-authority * ${key}\n10.9.9.9 ${key}`, '10.1.0.9', 'w-1')).toBe(false);
  });
});
