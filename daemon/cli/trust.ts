import { createHash, X509Certificate } from 'node:crypto';
import { connect } from 'node:tls';
import { plainFailure } from './exit.ts';

/** How long a server may take to show its certificate. */
const handshakeWithin = 10_000;

/**
 * The CA certificate of a server, known by the hash of its public key. Only a TLS handshake is made: nothing is said
 * before the server is known, and the connection that speaks verifies it again in the ordinary way.
 * @throws CommandFailure when the server cannot be reached or is another.
 */
export async function fetchAuthority(server: URL, hash: string): Promise<string> {
  const chain = await shownChain(server);
  const authority = chain.find((certificate) => publicKeyHash(certificate) === hash);
  if (authority) return authority.toString();
  throw plainFailure(
    'CLI-011',
    `${server.origin} is not the server that the token is for: none of its certificates has the hash ${hash}`,
    'Somebody may stand between you and the server, or it was set up anew: ask its administrator for a new token.',
  );
}

const publicKeyHash = (certificate: X509Certificate): string =>
  createHash('sha256')
    .update(certificate.publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex');

function shownChain(server: URL): Promise<readonly X509Certificate[]> {
  const host = server.hostname.replaceAll(/[[\]]/g, '');
  return new Promise((resolve, reject) => {
    const socket = connect({
      host,
      port: Number(server.port || 443),
      // The chain is judged by the hash, by the caller; this connection carries no word.
      rejectUnauthorized: false,
      timeout: handshakeWithin,
    });
    socket.once('secureConnect', () => {
      const chain: X509Certificate[] = [];
      let shown = socket.getPeerCertificate(true);
      while (shown.raw && !chain.some((known) => known.raw.equals(shown.raw))) {
        chain.push(new X509Certificate(shown.raw));
        shown = shown.issuerCertificate;
      }
      socket.destroy();
      resolve(chain);
    });
    socket.once('timeout', () => socket.destroy(new Error('no answer within 10 s')));
    socket.once('error', (error) => reject(error));
  });
}
