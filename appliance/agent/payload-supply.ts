import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { MachineRef } from '../../provisioners/contract/machine.ts';
import { UserProblem } from '../../provisioners/contract/problem.ts';
import { AcceptedSequences } from '../../provisioners/payload/acceptance.ts';
import type { PayloadCache } from '../../provisioners/payload/cache.ts';
import {
  type CatalogueEntry,
  findPayload,
  listPayloads,
  rememberVerified,
} from '../../provisioners/payload/catalogue.ts';
import type { MachineRole } from '../../provisioners/payload/install-list.ts';
import { PayloadServer, TOKEN_LIFE } from '../../provisioners/payload/server.ts';
import type { TrustedKey } from '../../provisioners/payload/signature.ts';
import { endUse, markUse } from '../../provisioners/payload/uses.ts';
import { assertIntact, partsOf, verifyPayload } from '../../provisioners/payload/verify.ts';
import { drawServer } from './pki.ts';
import type { PayloadListing } from './protocol/questions.ts';

/** What the supply is made of. */
export interface PayloadSupplyOptions {
  readonly cache: PayloadCache;
  /** Keys whose signatures are believed. */
  readonly trusted: () => Promise<readonly TrustedKey[]>;
  /** Folder of the agent's own: what it has accepted stays known when somebody empties the cache. */
  readonly stateFolder: string;
}

/** A server as one machine reaches it, with what it needs to use it. */
export interface Counter {
  /** `https://ADDRESS:PORT`. */
  readonly base: string;
  /** PEM of the certificate to believe. */
  readonly authority: string;
  readonly token: string;
}

interface Listening {
  readonly server: PayloadServer;
  readonly base: string;
  readonly authority: string;
}

/** The payloads on board, verified before use, and the servers that hand them to machines: one per own address. */
export class PayloadSupply {
  readonly #options: PayloadSupplyOptions;
  readonly #accepted: AcceptedSequences;
  readonly #verified = new Map<string, Promise<void>>();
  /** Folder of the payload that each holder's token is for. */
  readonly #uses = new Map<string, string>();
  readonly #servers = new Map<string, Promise<Listening>>();
  #turns = 0;

  constructor(options: PayloadSupplyOptions) {
    this.#options = options;
    this.#accepted = new AcceptedSequences(join(options.stateFolder, 'accepted-payloads.json'));
  }

  /** What may be used, each name once: its newest build, unless a newer one was accepted before. */
  async list(): Promise<readonly PayloadListing[]> {
    const { payloads } = await listPayloads(this.#options.cache, await this.#options.trusted());
    const newest = new Map<string, CatalogueEntry>();
    for (const entry of payloads) {
      const { name, sequence } = entry.manifest;
      if (!newest.has(name) && sequence >= (await this.#accepted.of(name))) newest.set(name, entry);
    }
    return [...newest.values()].map(({ manifest, size, digest }) => ({
      name: manifest.name,
      kubernetesVersion: manifest.kubernetes,
      flavour: manifest.flavour,
      bytes: size,
      digest,
      provenance: manifest.provenance,
    }));
  }

  /**
   * The payload for a version, every byte of it found intact once, and accepted: none older is believed afterwards.
   * @throws Blocked PAYLOAD-022 when there is none, UserProblem PAYLOAD-020 when it is older than one accepted before
   */
  async find(kubernetesVersion: string): Promise<CatalogueEntry> {
    const { cache, trusted } = this.#options;
    const entry = await findPayload(cache, await trusted(), kubernetesVersion);
    const { name, sequence } = entry.manifest;
    // The cache's note that it was verified says nothing of what this agent has accepted since.
    const isRolledBack = sequence < (await this.#accepted.of(name));
    if (entry.verifiedAt === null || isRolledBack) {
      const before = isRolledBack ? undefined : this.#verified.get(entry.digest);
      const known = before ?? this.#verify(entry);
      this.#verified.set(entry.digest, known);
      await known.catch((error: unknown) => {
        this.#verified.delete(entry.digest);
        throw error;
      });
    }
    await this.#accepted.accept(name, sequence);
    return entry;
  }

  /**
   * Opens the payload for one holder at the address on which it reaches us. The token ends with {@link close}. Masters
   * have the line before workers, and among them whoever came first: joins wait for masters, one after another.
   */
  async open(entry: CatalogueEntry, address: string, holder: string, role: MachineRole): Promise<Counter> {
    const known = this.#servers.get(address) ?? this.#listen(address);
    this.#servers.set(address, known);
    const { server, base, authority } = await known.catch((error: unknown) => {
      this.#servers.delete(address);
      throw error;
    });
    server.publish(entry);
    this.#uses.set(holder, entry.folder);
    await markUse(this.#options.cache, entry.folder, holder);
    this.#turns += 1;
    const rank = role === 'worker' ? Number.MAX_SAFE_INTEGER : this.#turns;
    return { base, authority, token: server.grant(holder, entry.digest, TOKEN_LIFE, rank) };
  }

  /** Ends a holder's token. */
  async close(address: string, holder: string): Promise<void> {
    (await this.#servers.get(address)?.catch(() => undefined))?.server.revoke(holder);
    const folder = this.#uses.get(holder);
    this.#uses.delete(holder);
    if (folder !== undefined) await endUse(this.#options.cache, folder, holder);
  }

  /** A text that came with a payload. @throws UserProblem when the manifest names no such part. */
  async text(kubernetesVersion: string, path: string): Promise<string> {
    const { folder, manifest } = await this.find(kubernetesVersion);
    if (!partsOf(manifest).some((part) => part.path === path))
      throw new UserProblem('PAYLOAD-040', `The payload ${manifest.name} has no part ${path}.`, {
        remedy: 'Build or fetch the payload again with this release.',
      });
    return readFile(join(folder, path), 'utf8');
  }

  async stop(): Promise<void> {
    const servers = await Promise.allSettled(this.#servers.values());
    for (const each of servers) if (each.status === 'fulfilled') await each.value.server.stop();
  }

  async #verify({ folder }: CatalogueEntry): Promise<void> {
    const { cache, trusted } = this.#options;
    const result = await verifyPayload({
      folder,
      trusted: await trusted(),
      acceptedSequence: (name) => this.#accepted.of(name),
    });
    await rememberVerified(cache, folder, assertIntact(folder, result));
  }

  async #listen(address: string): Promise<Listening> {
    const { certificate, key } = await drawServer(address);
    const server = new PayloadServer({ certificate, privateKey: key, address, port: 0 });
    const port = await server.start();
    const host = address.includes(':') ? `[${address}]` : address;
    return { server, base: `https://${host}:${port}`, authority: certificate };
  }
}

/** Names a machine of an operation to the payload server. */
export const holderOf = (machine: MachineRef, operation: string): string =>
  `${machine.name} operation ${operation}`;
