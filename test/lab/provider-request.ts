import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import ssh2 from 'ssh2';
import type { ClusterIdentity } from '../../provisioners/contract/machine.ts';
import type { CreateMachine, ProviderMachine } from '../../provisioners/contract/provider.ts';
import { generateSshKey } from '../../provisioners/contract/ssh-key.ts';

/** Folder of this test's key; the maker processes share it with the test. */
const keyFile = (): string => process.env['REMUDA_TEST_KEY'] ?? '';

/** The key pair that logs in to the test's hosts; drawn by the first who asks. */
function userKey(): { public: string; private: string } {
  if (!existsSync(keyFile())) {
    writeFileSync(keyFile(), JSON.stringify(generateSshKey('test')), { mode: 0o600 });
  }
  return JSON.parse(readFileSync(keyFile(), 'utf8'));
}

/** A wish for a small machine; its token follows from its name as the daemon's would from its incarnation. */
export const requestFor = (cluster: ClusterIdentity, name: string, incarnation = 1): CreateMachine => ({
  cluster,
  name,
  role: 'worker',
  incarnation,
  token: `token-${cluster.uid}-${name}-${incarnation}`,
  shape: { cpus: 1, memory: 512 * 2 ** 20, disks: [] },
  authorizedKey: userKey().public,
  labels: {},
});

/** Starts what takes the host down; that the connection may die before it is answered is no failure. */
export async function bringDown(machine: ProviderMachine, command: string): Promise<void> {
  await onHost(machine, command).catch((error: Error) => {
    if (!/connection closed|Keepalive|ECONNRESET/.test(error.message)) throw error;
  });
}

/** Runs a command on a host over SSH, trusting only the host key that was handed over; rejects when it fails. */
export function onHost(machine: ProviderMachine, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const client = new ssh2.Client();
    const expected = machine.provisionalHostKey?.split(' ')[1];
    client.on('error', reject);
    client.on('close', () => reject(new Error(`the connection closed during "${command}"`)));
    client.on('ready', () => {
      client.exec(command, (error, stream) => {
        if (error) return reject(error);
        let output = '';
        stream.on('data', (data: Buffer) => (output += data.toString()));
        stream.stderr.on('data', (data: Buffer) => (output += data.toString()));
        stream.on('close', (code: number | null) => {
          client.end();
          if (code === 0) resolve(output.trim());
          else reject(new Error(`"${command}" ended with ${code}: ${output}`));
        });
      });
    });
    client.connect({
      host: machine.address ?? '',
      username: 'root',
      privateKey: userKey().private,
      readyTimeout: 5000,
      // A host that goes down takes its end of the connection with it and says nothing.
      keepaliveInterval: 1000,
      keepaliveCountMax: 3,
      hostVerifier: (key: Buffer) => key.toString('base64') === expected,
    });
  });
}
