import { type ClusterKeys, trustedCertificates } from '../../provisioners/contract/secrets.ts';
import { type KeyPair, mintClient } from './pki.ts';
import type { TlsIdentity } from './tunnel.ts';

/** Life of a certificate made for the moment, and how much of it must be left, seconds. */
const life = 900;
const reserve = 120;

/** Client certificates for a cluster's API and etcd, made when needed, kept for minutes in memory only. */
export class ClientCertificates {
  readonly #keys: () => Promise<ClusterKeys>;
  readonly #made = new Map<string, { readonly pair: KeyPair; readonly until: number }>();

  constructor(keys: () => Promise<ClusterKeys>) {
    this.#keys = keys;
  }

  /** For API servers: an administrator, so that a cluster without any RBAC yet can be worked on. */
  async kubernetes(): Promise<TlsIdentity> {
    const { kubernetes } = await this.#keys();
    const client = await this.#mint('kubernetes', kubernetes, 'system:masters');
    // Every API server that kubeadm sets up has this name in its certificate (certs/list.go).
    return { authority: trustedCertificates(kubernetes), client, serverName: 'kubernetes' };
  }

  /** For etcd's client port. */
  async etcd(): Promise<TlsIdentity> {
    const { etcd } = await this.#keys();
    const client = await this.#mint('etcd', etcd, 'remuda');
    return { authority: trustedCertificates(etcd), client, serverName: 'localhost' };
  }

  async #mint(name: string, authority: KeyPair, organization: string): Promise<KeyPair> {
    const known = this.#made.get(name);
    if (known !== undefined && known.until > Date.now()) return known.pair;
    const pair = await mintClient(authority, {
      commonName: 'remuda-agent',
      organizations: [organization],
      seconds: life,
    });
    this.#made.set(name, { pair, until: Date.now() + (life - reserve) * 1000 });
    return pair;
  }
}
