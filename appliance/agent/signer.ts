import { createPrivateKey } from 'node:crypto';
import { UserProblem } from '../../provisioners/contract/problem.ts';

/** How an authority signs: ours are ECDSA P-256; those of clusters that others made may be of other curves, or RSA. @throws UserProblem PKI-004 */
export async function signerOf(pem: string) {
  const key = createPrivateKey(pem);
  const der = key.export({ format: 'der', type: 'pkcs8' });
  const named = { prime256v1: 'P-256', secp384r1: 'P-384', secp521r1: 'P-521' } as const;
  const curve = named[key.asymmetricKeyDetails?.namedCurve as keyof typeof named];
  const isEllipticCurve = key.asymmetricKeyType === 'ec' && curve !== undefined;
  if (!isEllipticCurve && key.asymmetricKeyType !== 'rsa')
    throw new UserProblem(
      'PKI-004',
      `An authority with a key of type ${key.asymmetricKeyType} cannot sign here.`,
      {
        remedy: 'Authorities of clusters have RSA keys or ECDSA keys of P-256, P-384 or P-521.',
      },
    );
  const algorithm = isEllipticCurve
    ? { name: 'ECDSA', namedCurve: curve }
    : { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
  const signingKey = await crypto.subtle.importKey('pkcs8', der, algorithm, false, ['sign']);
  const signs = isEllipticCurve ? { name: 'ECDSA', hash: 'SHA-256' } : algorithm;
  return { signingKey, signingAlgorithm: signs };
}
