import { connect } from 'node:net';
import ssh2, { type ServerHostKeyAlgorithm } from 'ssh2';
import { Transient } from '../../../provisioners/contract/problem.ts';
import type { Duration } from '../../../provisioners/contract/time.ts';

const patience: Duration = 15_000;

/** The length-prefixed first field of a key in SSH's wire form (RFC 4253, 6.6): its type. */
const typeOf = (key: Buffer): string => key.subarray(4, 4 + key.readUInt32BE(0)).toString('ascii');

/** What ssh2 can check; a name it does not know makes it throw. */
const knownTypes: ReadonlySet<string> = new Set([
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'ssh-rsa',
]);
/** An RSA key signs by these today (RFC 8332). */
const rsaAlgorithms: readonly ServerHostKeyAlgorithm[] = ['rsa-sha2-512', 'rsa-sha2-256'];

/** Remuda's own host keys are of the first type; the others are for machines of others. */
const usualTypes = ['ssh-ed25519', 'ecdsa-sha2-nistp256', 'ssh-rsa'] as const;

/** Algorithms in the order of these types, then the usual ones: the first that the server has decides (RFC 4253, 7.1). */
function algorithmsFor(types: readonly string[]): ServerHostKeyAlgorithm[] {
  const wanted = [...new Set([...types.filter((type) => knownTypes.has(type)), ...usualTypes])];
  return wanted.flatMap((type) => (type === 'ssh-rsa' ? rsaAlgorithms : [type as ServerHostKeyAlgorithm]));
}

/**
 * The host key that is shown at an address, type and key. Nobody vouches for it: it is shown to a person, or compared
 * with what a person gave. A server with several keys shows one of `types` if it has one.
 * @throws Transient SSH-001 when nobody answers
 */
export function readHostKey(address: string, port: number, types: readonly string[] = []): Promise<string> {
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
      algorithms: { serverHostKey: algorithmsFor(types) },
      hostVerifier: (key: Buffer) => {
        resolve(`${typeOf(key)} ${key.toString('base64')}`);
        return false;
      },
    });
  }).finally(() => client.end());
}
