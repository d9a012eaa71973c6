import type { Chain } from './chain.ts';

/** An authority of a cluster that is to be signed. */
export interface AuthorityRequest {
  /** PKCS#10, PEM. */
  readonly request: string;
  readonly commonName: string;
  readonly notAfter: Date;
}

/** Whoever signs the authorities of a cluster. */
export interface AuthoritySigner {
  /** The certificate for the key of the request, with what signed it. @throws Problem of PKI-… or OUTGOING-… */
  sign(request: AuthorityRequest): Promise<Chain>;
}
