import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { request } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  S3Client,
} from '@aws-sdk/client-s3';
import type { BackupDestination } from '../../../provisioners/contract/backup.ts';
import { loopbackCertificate } from '../payload/certificate.ts';
import { freePort } from './free-port.ts';
import { motoProgram } from './moto-program.ts';
import { listens } from './sshd.ts';

/** moto's S3 on loopback, over TLS, with one bucket. */
export interface Moto extends AsyncDisposable {
  readonly bucket: Extract<BackupDestination, { readonly type: 's3' }>;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** Every object by name, with its content. */
  objects(): Promise<ReadonlyMap<string, Buffer>>;
  /** Names of objects whose parts are being sent. */
  uploads(): Promise<readonly string[]>;
  /** From now on every request needs an account that moto knows, and it knows none. */
  requireAccount(): Promise<void>;
  said(): string;
}

/** Starts it. @throws Error with what it said */
export async function startMoto(): Promise<Moto> {
  const { command, folder: shared } = motoProgram();
  const folder = mkdtempSync(join(shared.here, 'remuda-moto-'));
  const there = (name: string): string => join(shared.there, basename(folder), name);
  const { certificate, privateKey } = await loopbackCertificate();
  writeFileSync(join(folder, 'crt'), certificate);
  writeFileSync(join(folder, 'key'), privateKey, { mode: 0o600 });
  const port = await freePort();
  const [program = '', ...first] = command;
  const child = spawn(
    program,
    [...first, '-H', '127.0.0.1', '-p', `${port}`, '-s', '-c', there('crt'), '-k', there('key')],
    { stdio: ['ignore', 'pipe', 'pipe'], detached: true },
  );
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      said += chunk.toString('utf8');
    });
  const gone = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', (error) => {
      said += error.message;
      resolve();
    });
  });
  const isGone = (): boolean => child.pid === undefined || child.exitCode !== null;
  const stop = async (): Promise<void> => {
    // A launcher may stand between us and the server: the whole group is ours.
    if (!isGone() && child.pid !== undefined) process.kill(-child.pid, 'SIGTERM');
    await gone;
    rmSync(folder, { recursive: true, force: true });
  };
  for (let look = 0; look < 600 && !isGone() && !(await listens(port)); look += 1) await sleep(100);
  if (isGone() || !(await listens(port))) {
    await stop();
    throw new Error(`moto_server does not listen: ${said}`);
  }
  const endpoint = `https://127.0.0.1:${port}`;
  const credentials = {
    accessKeyId: 'AKIACANARYCANARY0001',
    secretAccessKey: 'secret-canary-of-the-bucket-key',
  };
  const client = await bucketOf(endpoint, credentials, certificate);
  return {
    bucket: {
      type: 's3',
      endpoint,
      region: 'us-east-1',
      bucket: 'backups',
      prefix: 'remuda/site-1',
      authority: certificate,
      pathStyle: true,
      credentials: { secretRef: 'backup-s3' },
    },
    credentials,
    ...looksOf(client),
    requireAccount: () => requireAccount(port, certificate),
    said: () => said,
    [Symbol.asyncDispose]: async () => {
      client.destroy();
      await stop();
    },
  };
}

async function bucketOf(endpoint: string, credentials: Moto['credentials'], ca: string): Promise<S3Client> {
  const client = new S3Client({
    endpoint,
    region: 'us-east-1',
    // The SDK writes into the object that it is given.
    credentials: { ...credentials },
    forcePathStyle: true,
    requestHandler: { httpsAgent: { ca } },
  });
  await client.send(new CreateBucketCommand({ Bucket: 'backups' }));
  return client;
}

const looksOf = (client: S3Client): Pick<Moto, 'objects' | 'uploads'> => ({
  objects: async () => {
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: 'backups' }));
    const found = new Map<string, Buffer>();
    for (const { Key = '' } of Contents) {
      const { Body } = await client.send(new GetObjectCommand({ Bucket: 'backups', Key }));
      found.set(Key, Buffer.from((await Body?.transformToByteArray()) ?? []));
    }
    return found;
  },
  uploads: async () => {
    const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: 'backups' }));
    return Uploads.map(({ Key = '' }) => Key);
  },
});

/** moto's own switch: so many requests (none) are let through without asking who it is. */
function requireAccount(port: number, ca: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const asked = request(
      { host: '127.0.0.1', port, path: '/moto-api/reset-auth', method: 'POST', ca },
      (answer) => answer.resume().once('end', resolve),
    );
    asked.once('error', reject);
    asked.end('0');
  });
}
