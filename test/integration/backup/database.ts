import { createHash, randomBytes } from 'node:crypto';
import type { EtcdSnapshot } from '../../../provisioners/contract/ports/etcd.ts';

/** A fake database: it begins like one of bbolt's, holds random sectors, and bears etcd's checksum. */
export function fakeDatabase(sectors = 64): Buffer {
  const body = randomBytes(sectors * 512);
  body.writeUInt32LE(0xed_0c_da_ed, 16);
  return Buffer.concat([body, createHash('sha256').update(body).digest()]);
}

/** A snapshot of a fake member, in pieces as etcd sends them; `spoil` may throw in the middle. */
export const fakeSnapshot = (
  content: Buffer,
  spoil: (at: number) => Promise<void> | void = () => {},
): EtcdSnapshot => ({
  member: 'cp-1',
  etcdVersion: '3.4.23',
  revision: 4711,
  bytes: content.length,
  data: piecesOf(content, spoil),
});

async function* piecesOf(
  content: Buffer,
  spoil: (at: number) => Promise<void> | void,
): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < content.length; at += 32_768) {
    await spoil(at);
    yield content.subarray(at, at + 32_768);
  }
}
