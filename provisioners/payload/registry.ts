import { readFile, stat } from 'node:fs/promises';
import { z } from 'zod';
import { UserProblem } from '../contract/problem.ts';
import { assertWelcome, download, type Patience, PART_LIMIT, retry } from './download.ts';
import type { UpstreamRelease } from './digests.ts';
import { type Blob, type ImageArchive, writeImageLayout } from './oci.ts';
import { ask, type Transport } from './transport.ts';

/** Largest manifest or index accepted, in bytes: the limit that registries themselves set. */
const MANIFEST_LIMIT = 4 * 1024 ** 2;

const INDEX_TYPES = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
];
const MANIFEST_TYPES = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
];
const ACCEPT = [...INDEX_TYPES, ...MANIFEST_TYPES].join(', ');

const descriptor = z.object({
  mediaType: z.string(),
  digest: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  size: z.number().int().nonnegative(),
});
const index = z.object({
  manifests: z.array(
    descriptor.extend({ platform: z.object({ os: z.string(), architecture: z.string() }).optional() }),
  ),
});
const imageManifest = z.object({
  mediaType: z.string().optional(),
  config: descriptor,
  layers: z.array(descriptor).min(1).max(200),
});
const tokenAnswer = z.object({ token: z.string().optional(), access_token: z.string().optional() });

/** Fetches images by digest over the registry API v2 (OCI distribution-spec); tags are never believed. */
export class Registry {
  readonly #transport: Transport;
  readonly #folder: string;
  readonly #patience: Patience;
  readonly #tokens = new Map<string, string>();

  /** @param folder where blobs are kept by digest */
  constructor(transport: Transport, folder: string, patience: Patience) {
    this.#transport = transport;
    this.#folder = folder;
    this.#patience = patience;
  }

  /**
   * Fetches one image for a machine type and writes its archive. Every byte hangs on the reviewed digest: index →
   * manifest → configuration and layers.
   */
  async fetchImage(
    image: UpstreamRelease['images'][number],
    arch: string,
    reference: string,
    archive: string,
    date: number,
  ): Promise<ImageArchive> {
    const { repository } = image;
    let manifest = await this.#json(repository, image.digest);
    const list = index.safeParse(manifest.value);
    if (list.success) {
      const found = list.data.manifests.find(
        (one) =>
          one.platform?.os === 'linux' &&
          one.platform.architecture === arch &&
          MANIFEST_TYPES.includes(one.mediaType),
      );
      if (found === undefined) throw unusable(repository, image.digest, `holds nothing for linux/${arch}`);
      manifest = await this.#json(repository, found.digest);
    }
    const parsed = imageManifest.safeParse(manifest.value);
    if (!parsed.success) throw unusable(repository, image.digest, 'is no image manifest');
    const blobs: Blob[] = [manifest.blob];
    for (const part of [parsed.data.config, ...parsed.data.layers]) {
      blobs.push(await this.#blob(repository, part.digest, part.size));
    }
    const manifestType = parsed.data.mediaType ?? MANIFEST_TYPES[0] ?? '';
    const written = await writeImageLayout(archive, {
      reference,
      date,
      manifest: manifest.blob,
      manifestType,
      blobs,
    });
    return { ...written, digest: manifest.blob.digest, configDigest: parsed.data.config.digest };
  }

  /** A manifest is small, and is kept like any other part: found again without asking. */
  async #json(repository: string, digest: string): Promise<{ readonly value: unknown; readonly blob: Blob }> {
    const file = await this.#download(repository, 'manifests', digest, MANIFEST_LIMIT);
    const bytes = await readFile(file);
    try {
      return { value: JSON.parse(bytes.toString('utf8')), blob: { digest, size: bytes.length, bytes } };
    } catch {
      throw unusable(repository, digest, 'is not JSON');
    }
  }

  async #blob(repository: string, digest: string, size: number): Promise<Blob> {
    const file = await this.#download(repository, 'blobs', digest, Math.min(size, PART_LIMIT));
    const found = await stat(file);
    if (found.size !== size)
      throw unusable(repository, digest, `has ${found.size} bytes, its manifest says ${size}`);
    return { digest, size, file };
  }

  #download(repository: string, kind: 'manifests' | 'blobs', digest: string, limit: number): Promise<string> {
    const url = `${this.#transport.base.url}/v2/${repository}/${kind}/${digest}`;
    const headers = (): Record<string, string> => {
      const token = this.#tokens.get(repository);
      return { accept: ACCEPT, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) };
    };
    const onChallenge = async (challenge: string): Promise<void> => {
      this.#tokens.set(repository, await this.#newToken(repository, challenge));
    };
    const sha256 = digest.slice('sha256:'.length);
    return download(
      this.#transport,
      { url, sha256, limit, headers, onChallenge },
      this.#folder,
      this.#patience,
    );
  }

  /** A pull token, from the server the registry names; that server's host is held to the same rule as a redirect. */
  async #newToken(repository: string, challenge: string): Promise<string> {
    const fields = new Map(
      [...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, name = '', value = '']) => [name, value]),
    );
    const realm = fields.get('realm');
    if (!challenge.startsWith('Bearer ') || realm === undefined) {
      throw unusable(repository, '', 'asks for credentials of a kind that is not supported');
    }
    const url = new URL(realm);
    const service = fields.get('service');
    if (service !== undefined) url.searchParams.set('service', service);
    // Not the scope it asks for: pulling is all that is ever wanted.
    url.searchParams.set('scope', `repository:${repository}:pull`);
    const text = await retry(this.#patience, this.#transport.signal, async () => {
      const answer = await ask(this.#transport, url.href);
      assertWelcome(answer, [200]);
      return readText(answer.body, 64 * 1024);
    });
    const parsed = tokenAnswer.safeParse(JSON.parse(text));
    const token = parsed.success ? (parsed.data.token ?? parsed.data.access_token) : undefined;
    if (token === undefined) throw unusable(repository, '', 'its token server gives no token');
    return token;
  }
}

async function readText(body: AsyncIterable<unknown>, limit: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += (chunk as Buffer).length;
    if (size > limit)
      throw new UserProblem('PAYLOAD-044', 'The token server answers too much.', {
        remedy: 'Take another mirror.',
      });
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function unusable(repository: string, digest: string, why: string): UserProblem {
  return new UserProblem('PAYLOAD-045', `The image ${repository} ${digest} cannot be used: it ${why}.`, {
    value: repository,
    remedy: 'Check the reviewed digest, and that the registry is one that serves this release.',
  });
}
