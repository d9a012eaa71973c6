import { Agent } from 'node:https';
import type * as S3 from '@aws-sdk/client-s3';
import type { BackupDestination } from '../../../provisioners/contract/backup.ts';
import { Blocked, Problem, Transient } from '../../../provisioners/contract/problem.ts';
import type { Duration } from '../../../provisioners/contract/time.ts';
import { addressOf, type Reach } from '../outgoing/address.ts';
import { asOutgoing, securityOf } from '../outgoing/socket.ts';
import type { Destination, StoredFile } from './destination.ts';

/** What an S3 destination is made of. */
export interface S3Options {
  readonly bucket: Extract<BackupDestination, { readonly type: 's3' }>;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** Name of the cluster's folder below the prefix. */
  readonly folder: string;
  readonly reach: Reach;
  readonly signal: AbortSignal;
  /** How long the server may be silent. Default: a minute. */
  readonly patience?: Duration;
}

/** Joining the parts of a large object may take a server a while. */
const usualPatience: Duration = 60_000;

/** Bytes of one part: S3 wants 5 MiB at least and 10,000 parts at most, so 80 GiB fit; etcd advises 8 GiB at most. */
const partSize = 8 * 1024 * 1024;

/**
 * A folder of a bucket. What is written in parts appears under its name when all are there, so nothing is ever seen half.
 * Nothing is taken from the machine's own AWS settings, and no redirection is followed.
 */
export class S3Destination implements Destination {
  readonly what: string;
  readonly #sdk: typeof S3;
  readonly #client: S3.S3Client;
  readonly #options: S3Options;
  readonly #prefix: string;

  private constructor(sdk: typeof S3, client: S3.S3Client, options: S3Options) {
    this.#sdk = sdk;
    this.#client = client;
    this.#options = options;
    const { prefix, bucket, endpoint } = options.bucket;
    this.#prefix = `${prefix === undefined ? '' : `${prefix}/`}${options.folder}/`;
    this.what = `the bucket ${bucket} at ${new URL(endpoint).host}`;
  }

  /** @throws UserProblem OUTGOING-001, OUTGOING-002 */
  static async open(options: S3Options): Promise<S3Destination> {
    const { bucket, credentials, reach, patience = usualPatience } = options;
    // 36 MB that an agent without such backups never needs.
    const sdk = await import('@aws-sdk/client-s3');
    const url = new URL(bucket.endpoint);
    const server = bucket.pathStyle ? url.hostname : `${bucket.bucket}.${url.hostname}`;
    // Looked up once: a name cannot lead somewhere else between the check and the connection.
    const address = await addressOf(server, reach);
    const { minVersion, ca } = securityOf({ host: server, port: 443 }, bucket.authority);
    const agent = new Agent({
      keepAlive: true,
      ...(minVersion === undefined ? {} : { minVersion }),
      ...(ca === undefined ? {} : { ca }),
      lookup: (_host, asked, found) => {
        const family = address.includes(':') ? 6 : 4;
        if (asked.all === true) found(null, [{ address, family }]);
        else found(null, address, family);
      },
    });
    const client = new sdk.S3Client({
      endpoint: bucket.endpoint,
      region: bucket.region,
      credentials,
      forcePathStyle: bucket.pathStyle,
      followRegionRedirects: false,
      // Other servers than AWS do not know the newer checksums; every file is read back and compared anyway.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      requestHandler: { httpsAgent: agent, connectionTimeout: patience, socketTimeout: patience },
    });
    return new S3Destination(sdk, client, options);
  }

  async files(): Promise<readonly StoredFile[]> {
    const found: StoredFile[] = [];
    let token: string | undefined;
    do {
      const page = await this.#orProblem(() =>
        this.#client.send(
          new this.#sdk.ListObjectsV2Command({
            ...this.#bucket,
            Prefix: this.#prefix,
            Delimiter: '/',
            ...(token === undefined ? {} : { ContinuationToken: token }),
          }),
          this.#until,
        ),
      );
      for (const { Key = '', Size = 0 } of page.Contents ?? [])
        found.push({ name: Key.slice(this.#prefix.length), bytes: Size });
      token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
    return found;
  }

  async write(name: string, content: AsyncIterable<Uint8Array>): Promise<void> {
    const target = { ...this.#bucket, Key: `${this.#prefix}${name}` };
    const parts = partsOf(content);
    const first = await parts.next();
    const body = first.done === true ? Buffer.alloc(0) : first.value;
    // A part that is not full is the last.
    if (body.length < partSize) {
      await parts.next();
      await this.#orProblem(() =>
        this.#client.send(new this.#sdk.PutObjectCommand({ ...target, Body: body }), this.#until),
      );
    } else await this.#writeInParts(target, body, parts);
  }

  async *read(name: string): AsyncGenerator<Uint8Array, void, undefined> {
    const { Body } = await this.#orProblem(() =>
      this.#client.send(
        new this.#sdk.GetObjectCommand({ ...this.#bucket, Key: `${this.#prefix}${name}` }),
        this.#until,
      ),
    );
    // In Node the SDK always answers with a stream of Node's.
    const stream = Body as AsyncIterable<Uint8Array> | undefined;
    try {
      for await (const chunk of stream ?? []) yield chunk;
    } catch (error) {
      throw this.#problem(error);
    }
  }

  async remove(name: string): Promise<void> {
    await this.#orProblem(() =>
      this.#client.send(
        new this.#sdk.DeleteObjectCommand({ ...this.#bucket, Key: `${this.#prefix}${name}` }),
        this.#until,
      ),
    );
  }

  /** Servers that know no list of uploads clear abandoned ones away by themselves, or have none. */
  async sweep(isStale: (name: string) => boolean): Promise<void> {
    const uploads = await this.#uploads().catch((error: unknown) => {
      if (error instanceof Problem && error.report.value === 'NotImplemented') return [];
      throw error;
    });
    for (const { Key = '', UploadId = '' } of uploads)
      if (isStale(Key.slice(this.#prefix.length))) await this.#abandon({ ...this.#bucket, Key, UploadId });
  }

  async close(): Promise<void> {
    this.#client.destroy();
  }

  get #bucket(): { readonly Bucket: string } {
    return { Bucket: this.#options.bucket.bucket };
  }

  get #until(): { readonly abortSignal: AbortSignal } {
    return { abortSignal: this.#options.signal };
  }

  async #uploads(): Promise<readonly S3.MultipartUpload[]> {
    const command = new this.#sdk.ListMultipartUploadsCommand({ ...this.#bucket, Prefix: this.#prefix });
    const page = await this.#orProblem(() => this.#client.send(command, this.#until));
    return page.Uploads ?? [];
  }

  async #writeInParts(
    target: { readonly Bucket: string; readonly Key: string },
    first: Buffer,
    rest: AsyncIterator<Buffer, void>,
  ): Promise<void> {
    const { UploadId = '' } = await this.#orProblem(() =>
      this.#client.send(new this.#sdk.CreateMultipartUploadCommand(target), this.#until),
    );
    const upload = { ...target, UploadId };
    try {
      const Parts: { readonly PartNumber: number; readonly ETag?: string | undefined }[] = [];
      let body: Buffer | undefined = first;
      while (body !== undefined) {
        const PartNumber = Parts.length + 1;
        const part = new this.#sdk.UploadPartCommand({ ...upload, PartNumber, Body: body });
        const { ETag } = await this.#orProblem(() => this.#client.send(part, this.#until));
        Parts.push({ PartNumber, ETag });
        const next = await rest.next();
        body = next.done === true ? undefined : next.value;
      }
      await this.#orProblem(() =>
        this.#client.send(
          new this.#sdk.CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } }),
          this.#until,
        ),
      );
    } catch (error) {
      await rest.return?.();
      await this.#abandon(upload).catch(() => {});
      throw error;
    }
  }

  /** Not bound to the work's signal: what is abandoned must not go on costing. One that is gone is success. */
  async #abandon(upload: {
    readonly Bucket: string;
    readonly Key: string;
    readonly UploadId: string;
  }): Promise<void> {
    await this.#orProblem(() => this.#client.send(new this.#sdk.AbortMultipartUploadCommand(upload))).catch(
      (error: unknown) => {
        if (!(error instanceof Problem) || error.report.value !== 'NoSuchUpload') throw error;
      },
    );
  }

  async #orProblem<Answer>(act: () => Promise<Answer>): Promise<Answer> {
    try {
      return await act();
    } catch (error) {
      throw this.#problem(error);
    }
  }

  #problem(error: unknown): unknown {
    this.#options.signal.throwIfAborted();
    return error instanceof Problem ? error : s3Problem(error, this.what);
  }
}

/** The server does not know what was asked at all: asking again is of no use. */
const notImplemented = 501;

/** What an answer of S3 means. Only its status and the name of its error are told, never what else it said. */
function s3Problem(error: unknown, what: string): Error {
  const { $metadata, name: given } = error as {
    readonly $metadata?: { readonly httpStatusCode?: number };
    readonly name?: unknown;
  };
  const status = $metadata?.httpStatusCode;
  const name = typeof given === 'string' && /^[A-Za-z]{3,60}$/.test(given) ? given : 'unknown';
  if (status === undefined) return asOutgoing(error, `The server of ${what}`);
  if (status === 401 || status === 403)
    return new Blocked('BACKUP-020', `The server refuses ${what} (${name}).`, {
      remedy:
        'Check key and rights of the account: list, read, write and delete below the prefix; and the clocks.',
    });
  if (status === 429 || (status >= 500 && status !== notImplemented))
    return new Transient('BACKUP-021', `The server of ${what} cannot do it now (status ${status}, ${name}).`);
  return new Blocked('BACKUP-022', `The server of ${what} answers with status ${status} (${name}).`, {
    remedy: 'Check endpoint, region and name of the bucket. Redirections are not followed.',
    value: name,
  });
}

/** The content in full parts; the last one may be shorter. */
async function* partsOf(content: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer, void, undefined> {
  let pieces: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of content) {
    let rest = chunk;
    while (size + rest.length >= partSize) {
      const taken = rest.subarray(0, partSize - size);
      yield Buffer.concat([...pieces, taken]);
      rest = rest.subarray(taken.length);
      pieces = [];
      size = 0;
    }
    pieces.push(rest);
    size += rest.length;
  }
  if (size > 0) yield Buffer.concat(pieces);
}
