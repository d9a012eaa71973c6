/** The developer's door to the lab provider: hosts without a cluster. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import Table from 'cli-table3';
import { Command, InvalidArgumentError } from 'commander';
import type { ClusterIdentity } from '../provisioners/contract/machine.ts';
import { Problem } from '../provisioners/contract/problem.ts';
import type { ProviderMachine, TeardownProof } from '../provisioners/contract/provider.ts';
import { listLabs } from '../provisioners/infrastructure/lab/infrastructure.ts';
import { labSettings, LabProvider } from '../provisioners/infrastructure/lab/provider.ts';
import { buildRootImage } from '../provisioners/infrastructure/lab/root-image.ts';
import { generateSshKey } from '../provisioners/contract/ssh-key.ts';
import { sweepBox } from '../provisioners/infrastructure/lab/sweep.ts';

const abort = new AbortController();
process.once('SIGINT', () =>
  abort.abort(new Error('interrupted; `scripts/lab sweep` removes what is half-made')),
);

const settings = await labSettings({
  onProgress: (done, total, what) => console.error(`${done}/${total} ${what}`),
});
const provider = new LabProvider(settings);
const keyFile = join(settings.cacheDirectory, 'lab-developer-key');

const clusterOf = (name: string): ClusterIdentity => ({ uid: `scripts/lab ${name}`, name });

const count = (text: string): number => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('must be a whole number from 1');
  return value;
};

/** Public half of the key with which people log in to hosts made here; drawn at first use. */
async function developerKey(): Promise<string> {
  if (!existsSync(keyFile)) {
    const pair = generateSshKey('scripts/lab');
    await mkdir(dirname(keyFile), { recursive: true });
    await writeFile(`${keyFile}.pub`, `${pair.public}\n`);
    await writeFile(keyFile, pair.private, { mode: 0o600 });
  }
  await chmod(keyFile, 0o600);
  return readFile(`${keyFile}.pub`, 'utf8');
}

interface UpOptions {
  readonly lab: string;
  readonly memory: number;
  readonly cpus: number;
}

async function up(hosts: number, options: UpOptions): Promise<void> {
  const cluster = clusterOf(options.lab);
  const authorizedKey = await developerKey();
  const began = performance.now();
  await provider.infrastructure.prepare(cluster, undefined, abort.signal);
  const names = Array.from({ length: hosts }, (_, index) => `h${index + 1}`);
  const shape = { cpus: options.cpus, memory: options.memory * 2 ** 20, disks: [] };
  const create = (name: string): Promise<ProviderMachine> => {
    const token = `${options.lab}/${name}/1`;
    const request = {
      cluster,
      name,
      role: 'worker' as const,
      incarnation: 1,
      token,
      shape,
      authorizedKey,
      labels: {},
    };
    return provider.machines.create(request, abort.signal);
  };
  await Promise.all(names.map(create));
  await list();
  console.error(`${hosts} hosts answer on ssh after ${((performance.now() - began) / 1000).toFixed(1)} s`);
}

async function list(): Promise<void> {
  const table = new Table({
    head: ['LAB', 'MACHINE', 'ADDRESS', 'STATE', 'DETAIL'],
    style: { head: [], border: [] },
  });
  for (const { cluster, subnet, state } of await listLabs(settings)) {
    const machines = await provider.machines.list(cluster);
    if (machines.length === 0) table.push([cluster.name, '-', subnet, state, '']);
    for (const { name, address = '', state: power, detail = '' } of machines)
      table.push([cluster.name, name, address, power, detail]);
  }
  console.log(table.toString());
}

/** @throws Error when there is none, or several labs have one of this name. */
async function find(name: string): Promise<{ cluster: ClusterIdentity; machine: ProviderMachine }> {
  const [machineName, labName] = name.split('/').reverse();
  const found = [];
  for (const { cluster } of await listLabs(settings))
    for (const machine of await provider.machines.list(cluster))
      if (machine.name === machineName && (labName === undefined || cluster.name === labName))
        found.push({ cluster, machine });
  const [first, ...others] = found;
  if (first && others.length === 0) return first;
  throw new Error(
    first
      ? `several labs have a machine ${name}; write LAB/${name}`
      : `no lab has a machine ${name}; see scripts/lab list`,
  );
}

async function ssh(name: string, command: readonly string[]): Promise<void> {
  const { machine } = await find(name);
  const knownHosts = `${keyFile}.known-hosts`;
  await writeFile(knownHosts, `${machine.address} ${machine.provisionalHostKey}\n`);
  const options = [
    '-o',
    `UserKnownHostsFile=${knownHosts}`,
    '-o',
    'StrictHostKeyChecking=yes',
    '-o',
    'LogLevel=ERROR',
  ];
  const args = ['-i', keyFile, ...options, `root@${machine.address}`, ...command];
  process.exitCode = spawnSync('ssh', args, { stdio: 'inherit' }).status ?? 1;
}

function report(proof: TeardownProof): void {
  const counts = new Map<string, number>();
  for (const { type } of proof.gone) counts.set(type, (counts.get(type) ?? 0) + 1);
  const gone = [...counts].map(([type, number]) => `${type} ${number}`).join(', ');
  console.log(`gone: ${gone || 'nothing was there'}`);
  for (const { type, id, why } of proof.left) console.log(`left: ${type} ${id}: ${why}`);
  if (proof.left.length > 0) process.exitCode = 5;
}

const program = new Command('scripts/lab')
  .enablePositionalOptions()
  .description('Lab hosts without a cluster. State: $REMUDA_LAB_DIR, images: $REMUDA_CACHE.');
program
  .command('up')
  .argument('<hosts>', 'how many', count)
  .option('--lab <name>', 'name of the lab', 'dev')
  .option('--memory <MiB>', 'limit of each host', count, 2048)
  .option('--cpus <count>', 'weight of each host', count, 2)
  .action(up);
program.command('list').action(list);
program
  .command('image')
  .description('build the root image only')
  .action(async () => {
    console.log(await buildRootImage(settings.cacheDirectory, settings.onProgress, abort.signal));
  });
program
  .command('ssh')
  .argument('<machine>', 'NAME or LAB/NAME')
  .argument('[command...]')
  .passThroughOptions()
  .action(ssh);
program
  .command('power')
  .argument('<machine>')
  .argument('<state>', 'on, or off (pulls the plug)')
  .action(async (name: string, state: string) => {
    const { cluster, machine } = await find(name);
    await provider.machines.power(cluster, machine.name, state === 'on' ? 'on' : 'off');
  });
program
  .command('cable')
  .argument('<machine>')
  .argument('<state>', 'in or out')
  .action(async (name: string, state: string) => {
    const { cluster, machine } = await find(name);
    await provider.machines.cable(cluster, machine.name, state === 'in' ? 'in' : 'out');
  });
program
  .command('down')
  .description('remove one lab (default dev)')
  .argument('[lab]', 'name of the lab', 'dev')
  .action(async (name: string) => report(await provider.sweep(clusterOf(name), abort.signal)));
program
  .command('sweep')
  .description(
    'remove what crashes left; --all removes every lab of this state folder, with --ejected also those of ejected clusters',
  )
  .option('--all')
  .option('--ejected')
  .action(async ({ all, ejected }: { all?: boolean; ejected?: boolean }) =>
    report(await sweepBox(settings, all === true, abort.signal, ejected === true)),
  );

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof Problem)) console.error(error instanceof Error ? error.message : error);
  else
    console.error(
      `${error.report.code}: ${error.report.summary}\n${(error.report.lastLines ?? []).join('\n')}\n${error.report.remedy ?? ''}`,
    );
  process.exitCode = 1;
}
