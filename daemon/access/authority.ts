import { createPrivateKey, X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { UserProblem } from '../../provisioners/contract/problem.ts';
import type { Instant } from '../../provisioners/contract/time.ts';
import {
  alternativeNames,
  clientPurpose,
  exportPrivateKey,
  generateKeys,
  importPrivateKey,
  type Names,
  permittedNames,
  publicKeyHash,
  serverPurpose,
  signAuthority,
  signLeaf,
  verifiedRequestKey,
} from './certificates.ts';
import { writePrivateFile } from './private-file.ts';
import { authorityScope, hostNames, withinScope } from './site-names.ts';

const day = 24 * 60 * 60_000;
/** Ten years: replacing the site CA means enrolling every agent anew. */
const authorityLifetime = 10 * 365 * day;
/** Server certificates are made anew when less than a third of this is left. */
const serverLifetime = 90 * day;
/** An agent renews by itself at half of this; one that was away longer is enrolled again. */
const agentLifetime = 7 * day;
/** Certificates begin a little earlier than now, for clocks that are behind. */
const clockTolerance = 5 * 60_000;

/** A server's key and its chain, as node:https takes them. */
export interface ServerIdentity {
  readonly key: string;
  /** Server certificate followed by the CA's, so that a client can check the CA by its hash. */
  readonly cert: string;
  readonly notAfter: Instant;
  /** Names of this host that the CA may not sign for, because the host got them after the CA was made. */
  readonly refused: readonly string[];
}

/** What an agent's client certificate says. */
export interface AgentIdentity {
  readonly site: string;
  readonly epoch: number;
}

/** The certificate authority of one Remuda: TLS for its own listeners and client certificates for its agents. */
export class SiteAuthority {
  /** PEM of the CA certificate. */
  readonly certificate: string;
  /** sha256 of the CA's public key, hexadecimal: the first half of every token. */
  readonly hash: string;
  readonly #key: CryptoKey;
  readonly #folder: string;
  readonly #now: () => number;

  private constructor(certificate: string, key: CryptoKey, folder: string, now: () => number) {
    this.certificate = certificate;
    this.hash = publicKeyHash(certificate);
    this.#key = key;
    this.#folder = folder;
    this.#now = now;
  }

  /**
   * Opens the authority kept in `folder`, or makes it there at the first start. The CA may sign only for this host's
   * names, `extraNames` and site networks.
   */
  static async open(
    folder: string,
    extraNames: readonly string[] = [],
    now: () => number = Date.now,
  ): Promise<SiteAuthority> {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const certificateFile = join(folder, 'ca.crt');
    const keyFile = join(folder, 'ca.key');
    if (!existsSync(certificateFile)) {
      const keys = await generateKeys();
      const certificate = await signAuthority(
        keys,
        `CN=Remuda site authority ${hostname()}`,
        { notBefore: new Date(now() - clockTolerance), notAfter: new Date(now() + authorityLifetime) },
        authorityScope(extraNames),
      );
      // The key first: a certificate without its key would be taken for a whole authority at the next start.
      writePrivateFile(keyFile, await exportPrivateKey(keys.privateKey));
      writePrivateFile(certificateFile, certificate, 0o644);
    }
    const key = await importPrivateKey(readFileSync(keyFile, 'utf8'));
    return new SiteAuthority(readFileSync(certificateFile, 'utf8'), key, folder, now);
  }

  /** The server's key and chain; made anew when a third of its life is left or the host's names have changed. */
  async serverIdentity(extraNames: readonly string[] = []): Promise<ServerIdentity> {
    const { permitted, refused } = withinScope(hostNames(extraNames), permittedNames(this.certificate));
    const certificateFile = join(this.#folder, 'server.crt');
    const keyFile = join(this.#folder, 'server.key');
    if (!this.#isUsable(certificateFile, keyFile, permitted)) {
      const keys = await generateKeys();
      const certificate = await signLeaf(
        { certificate: this.certificate, key: this.#key },
        {
          subject: 'CN=Remuda',
          publicKey: keys.publicKey,
          purpose: serverPurpose,
          ...this.#validity(serverLifetime),
          extensions: [alternativeNames(permitted)],
        },
      );
      writePrivateFile(keyFile, await exportPrivateKey(keys.privateKey));
      writePrivateFile(certificateFile, certificate, 0o644);
    }
    const certificate = readFileSync(certificateFile, 'utf8');
    return {
      key: readFileSync(keyFile, 'utf8'),
      cert: `${certificate.trim()}\n${this.certificate.trim()}\n`,
      notAfter: new Date(new X509Certificate(certificate).validTo).toISOString(),
      refused,
    };
  }

  /**
   * Signs an agent's client certificate. Its common name is `agent:<site>:<epoch>`: the link listener reads both from
   * there and from nowhere else; nothing of the request but its key is believed.
   * @throws UserProblem ACCESS-006 when the request is malformed or not signed by its own key.
   */
  async signAgent(request: string, identity: AgentIdentity): Promise<string> {
    const publicKey = await verifiedRequestKey(request);
    if (!publicKey) {
      throw new UserProblem('ACCESS-006', 'the certificate request is not a signed PKCS#10 request in PEM', {
        remedy: 'Enrol with the agent of this release: it makes the request itself.',
      });
    }
    return signLeaf(
      { certificate: this.certificate, key: this.#key },
      {
        subject: `CN=agent:${identity.site}:${identity.epoch}`,
        publicKey,
        purpose: clientPurpose,
        ...this.#validity(agentLifetime),
        extensions: [],
      },
    );
  }

  #validity(lifetime: number): { notBefore: Date; notAfter: Date } {
    return {
      notBefore: new Date(this.#now() - clockTolerance),
      notAfter: new Date(this.#now() + lifetime),
    };
  }

  #isUsable(certificateFile: string, keyFile: string, names: Names): boolean {
    if (!existsSync(certificateFile) || !existsSync(keyFile)) return false;
    const held = new X509Certificate(readFileSync(certificateFile));
    return (
      Date.parse(held.validTo) - this.#now() > serverLifetime / 3 &&
      held.checkIssued(new X509Certificate(this.certificate)) &&
      held.verify(new X509Certificate(this.certificate).publicKey) &&
      // A process that was killed between the two files left a new key beside the old certificate.
      held.checkPrivateKey(createPrivateKey(readFileSync(keyFile))) &&
      names.dns.every((name) => held.checkHost(name) !== undefined) &&
      names.ip.every((ip) => held.checkIP(ip) !== undefined)
    );
  }
}

/** Site and epoch from the common name of a verified agent certificate; undefined when it is not an agent's. */
export function agentIdentityOf(commonName: string): AgentIdentity | undefined {
  const match = /^agent:([a-z0-9-]+):([0-9]+)$/.exec(commonName);
  return match?.[1] === undefined ? undefined : { site: match[1], epoch: Number(match[2]) };
}
