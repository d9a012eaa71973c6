import type { Logger } from 'pino';
import type { SiteAuthority } from './access/authority.ts';
import type { ApiServer } from './api/server.ts';
import type { LinkListener } from './operations/socket-link.ts';

/** How often the server certificate is looked at. */
const renewalInterval = 24 * 60 * 60_000;

/** Whose certificate is renewed, by whom. */
export interface RenewalParts {
  readonly authority: SiteAuthority;
  /** Names and addresses of this host for its certificate. */
  readonly names: readonly string[];
  readonly api: ApiServer;
  readonly link: LinkListener;
  readonly logger: Logger;
}

/** Keeps the certificate of both listeners fresh, without a restart; the answer ends it. */
export function keepCertificateFresh(parts: RenewalParts): () => void {
  const renewal = setInterval(() => void renew(parts), renewalInterval).unref();
  return () => clearInterval(renewal);
}

async function renew({ authority, names, api, link, logger }: RenewalParts): Promise<void> {
  try {
    const identity = await authority.serverIdentity(names);
    api.renew(identity);
    link.replaceCertificate({ certificate: identity.cert, key: identity.key });
  } catch (error) {
    logger.error({ err: error }, 'the server certificate could not be renewed; tried again in a day');
  }
}
