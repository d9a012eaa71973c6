import type { AuthoritySource } from '../../../provisioners/contract/authority.ts';
import type { SecretsPort } from '../../../provisioners/contract/ports.ts';
import { UserProblem } from '../../../provisioners/contract/problem.ts';
import type { Instant } from '../../../provisioners/contract/time.ts';
import type { Reach } from '../outgoing/address.ts';
import { givenSigner } from './given.ts';
import type { AuthoritySigner } from './signer.ts';
import { vaultSigner } from './vault.ts';

/** What is needed to reach whoever signs. */
export interface AuthorityGround {
  readonly secrets: Pick<SecretsPort, 'value'>;
  readonly reach: Reach;
  readonly signal: AbortSignal;
  readonly now: Instant;
}

/**
 * Whoever signs the authorities of a cluster, checked as far as it can be without making anything.
 * @throws Problem PKI-…, OUTGOING-…, SECRET-…
 */
export async function openAuthority(
  source: AuthoritySource,
  ground: AuthorityGround,
): Promise<AuthoritySigner> {
  const { secrets, ...rest } = ground;
  const { secretRef } = source.credentials;
  if (source.type === 'server') {
    const token = (await secrets.value(secretRef, 'token')).trim();
    // A header is one line (RFC 9110, 5.5).
    if (!/^[\x21-\x7e]+$/.test(token))
      throw new UserProblem(
        'PKI-010',
        `The token in the secret ${secretRef} is not one line of plain characters.`,
        {
          remedy: 'Give the token as the server has printed it.',
        },
      );
    return vaultSigner({ ...rest, server: source, token });
  }
  const [certificate, key] = await Promise.all([
    secrets.value(secretRef, 'tls.crt'),
    secrets.value(secretRef, 'tls.key'),
  ]);
  return givenSigner({ certificate, key }, ground.now);
}
