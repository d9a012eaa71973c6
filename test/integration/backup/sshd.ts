import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BackupDestination } from '../../../provisioners/contract/backup.ts';
import { generateSshKey } from '../../../provisioners/contract/ssh-key.ts';
import { freePort } from './free-port.ts';

/** A real OpenSSH server on loopback that serves files, with a user's key for it. */
export interface Sshd extends AsyncDisposable {
  readonly server: Extract<BackupDestination, { readonly type: 'ssh' }>;
  readonly privateKey: string;
  /** Everything that it said; at LogLevel VERBOSE. */
  said(): string;
}

/** Starts one. @throws Error with what it said */
export async function startSshd(): Promise<Sshd> {
  const folder = mkdtempSync(join(tmpdir(), 'remuda-sshd-'));
  const [host, user] = [generateSshKey('host'), generateSshKey('user')];
  const port = await freePort();
  const files = join(folder, 'files');
  mkdirSync(files);
  writeFileSync(join(folder, 'host'), host.private, { mode: 0o600 });
  writeFileSync(join(folder, 'authorized'), `${user.public}\n`, { mode: 0o600 });
  const configuration = [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${join(folder, 'host')}`,
    `AuthorizedKeysFile ${join(folder, 'authorized')}`,
    `PidFile ${join(folder, 'pid')}`,
    'PermitRootLogin prohibit-password',
    'PasswordAuthentication no',
    'UsePAM no',
    'StrictModes no',
    'LogLevel VERBOSE',
    'Subsystem sftp internal-sftp',
  ];
  writeFileSync(join(folder, 'config'), `${configuration.join('\n')}\n`);
  // Where sshd goes to give up its rights; Debian's service makes it at boot.
  mkdirSync('/run/sshd', { recursive: true });
  chmodSync('/run/sshd', 0o755);
  const child = spawn('/usr/sbin/sshd', ['-D', '-e', '-f', join(folder, 'config')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString('utf8');
  });
  const stop = async (): Promise<void> => {
    if (child.exitCode === null) {
      child.kill('SIGTERM');
      await once(child, 'exit');
    }
    rmSync(folder, { recursive: true, force: true });
  };
  for (let look = 0; look < 300 && child.exitCode === null; look += 1) {
    if (await listens(port))
      return {
        server: {
          type: 'ssh',
          host: '127.0.0.1',
          port,
          user: process.env['USER'] ?? 'root',
          path: files,
          hostKeys: [host.public],
          credentials: { secretRef: 'backup-ssh' },
        },
        privateKey: user.private,
        said: () => said,
        [Symbol.asyncDispose]: stop,
      };
    await sleep(100);
  }
  await stop();
  throw new Error(`sshd does not listen: ${said}`);
}

/** Whether somebody answers there. */
export function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
