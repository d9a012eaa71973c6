import { existsSync, fsyncSync, mkdirSync, openSync, closeSync, readdirSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { armor, Decrypter, generateIdentity, identityToRecipient } from 'age-encryption';
import { type HandOver, openedHandOverSchema, type OpenedHandOver } from '../api/types.ts';
import { usageFailure } from './exit.ts';
import { duties } from './hand-over-text.ts';

/** A key pair in the memory of this command alone, and what it opens. */
export async function openWith(): Promise<{
  readonly recipient: string;
  readonly open: (sealed: string) => Promise<OpenedHandOver>;
}> {
  const identity = await generateIdentity();
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  return {
    recipient: await identityToRecipient(identity),
    open: async (sealed) =>
      openedHandOverSchema.parse(JSON.parse(await decrypter.decrypt(armor.decode(sealed), 'text'))),
  };
}

/** Keys never go where others' files lie. @throws CommandFailure CLI-061 */
export function requireNew(folder: string): void {
  if (!existsSync(folder) || readdirSync(folder).length === 0) return;
  throw usageFailure(
    'CLI-061',
    `${folder} holds files already`,
    'Name a new folder: keys are not mixed with other files, and nothing is overwritten.',
  );
}

/** Writes all files, readable by their owner alone, and makes them durable; answers how many. */
export function writeHandOver(folder: string, given: HandOver, { keys, kubeconfig }: OpenedHandOver): number {
  const files: Readonly<Record<string, string>> = {
    'READ-ME.md': duties(given),
    'answers.yaml': given.answerFile,
    kubeconfig,
    'ssh/key': keys.sshPrivateKey,
    'ssh/key.pub': `${keys.sshPublicKey.trim()}\n`,
    'ssh/known_hosts': knownHosts(given),
    'machines.json': `${JSON.stringify(given.machines, undefined, 2)}\n`,
    'pki/ca.crt': keys.kubernetes.certificate,
    'pki/ca.key': keys.kubernetes.key,
    'pki/etcd/ca.crt': keys.etcd.certificate,
    'pki/etcd/ca.key': keys.etcd.key,
    'pki/front-proxy-ca.crt': keys.frontProxy.certificate,
    'pki/front-proxy-ca.key': keys.frontProxy.key,
    'pki/sa.pub': keys.serviceAccount.publicKey,
    'pki/sa.key': keys.serviceAccount.privateKey,
    'encryption-key': `${keys.encryptionKey}\n`,
  };
  for (const [path, text] of Object.entries(files)) write(folder, path, text);
  return Object.keys(files).length;
}

/** The same with the keys as they came. */
export function writeSealed(folder: string, given: HandOver): void {
  write(folder, 'keys.age', given.sealed);
  write(folder, 'answers.yaml', given.answerFile);
  write(folder, 'READ-ME.md', duties(given));
}

function knownHosts({ machines }: HandOver): string {
  const lines = machines.flatMap(({ address, port, hostKeys }) => {
    const host = port === 22 ? address : `[${address}]:${port}`;
    return hostKeys.map((key) => `${host} ${key}`);
  });
  return lines.map((line) => `${line}\n`).join('');
}

function write(folder: string, path: string, text: string): void {
  const full = join(folder, path);
  mkdirSync(dirname(full), { recursive: true, mode: 0o700 });
  const file = openSync(full, 'wx', 0o600);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
