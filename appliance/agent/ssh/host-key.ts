import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import ssh2 from 'ssh2';
import { Transient } from '../../../provisioners/contract/problem.ts';
import type { Duration } from '../../../provisioners/contract/time.ts';

const patience: Duration = 15_000;

/** The length-prefixed first field of a key in SSH's wire form (RFC 4253, 6.6): its type. */
const typeOf = (key: Buffer): string => key.subarray(4, 4 + key.readUInt32BE(0)).toString('ascii');

/**
 * The host key that is shown at an address, type and key. Nobody vouches for it: it is shown to a person, or pinned
 * where a person said so.
 * @throws Transient SSH-001 when nobody answers
 */
export function readHostKey(address: string, port: number): Promise<string> {
  const client = new ssh2.Client();
  return new Promise<string>((resolve, reject) => {
    const fail = (why: string): void =>
      reject(
        new Transient('SSH-001', `${address}:${port} cannot be reached: ${why}`, {
          remedy: 'Look whether the machine has power and network, and whether this is its address.',
        }),
      );
    client.on('error', (error) => fail(error.message));
    client.once('close', () => fail('the connection was closed'));
    client.connect({
      sock: connect({ host: address, port, noDelay: true }),
      username: 'remuda',
      readyTimeout: patience,
      // Remuda's own host keys are of this type; the others are for machines of others.
      algorithms: {
        serverHostKey: ['ssh-ed25519', 'ecdsa-sha2-nistp256', 'rsa-sha2-512', 'rsa-sha2-256'],
      },
      hostVerifier: (key: Buffer) => {
        resolve(`${typeOf(key)} ${key.toString('base64')}`);
        return false;
      },
    });
  }).finally(() => client.end());
}

/** Fingerprint of a host key (`type base64`) as `ssh-keygen -l` prints it. */
export function fingerprintOf(hostKey: string): string {
  const key = Buffer.from(hostKey.split(/\s+/)[1] ?? '', 'base64');
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}
