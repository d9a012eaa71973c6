import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { LabProvider, labSettings } from '../../provisioners/infrastructure/lab/provider.ts';
import { listLabs } from '../../provisioners/infrastructure/lab/infrastructure.ts';
import { sweepBox } from '../../provisioners/infrastructure/lab/sweep.ts';
import { footprint, labsIn } from './provider-footprint.ts';
import { onHost, requestFor } from './provider-request.ts';

const stateFolder = mkdtempSync('/var/tmp/remuda-test-crash-');
const keys = mkdtempSync('/var/tmp/remuda-test-keys-');
process.env['REMUDA_TEST_KEY'] = join(keys, 'key.json');
const settings = await labSettings({ labDirectory: stateFolder });
const provider = new LabProvider(settings);
const { signal } = new AbortController();
const machines = ['a', 'b', 'c'];
const clusterOf = (name: string) => ({ uid: `uid-of-${name}`, name });

const seed = Number(process.env['REMUDA_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const rounds = process.env['REMUDA_RING'] === 'full' ? 30 : 6;

/** Mulberry32: small, seeded, good enough to spread kill points. */
function randomNumbers(start: number): () => number {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Runs the maker process; with `killAfter` it is killed -9 that many ms after its start. Resolves with how it ended. */
function runMaker(name: string, verb: 'create' | 'destroy', killAfter?: number): Promise<'done' | 'killed'> {
  const maker = join(import.meta.dirname, 'provider-maker.ts');
  const child = spawn(process.execPath, [maker, stateFolder, name, verb, ...machines], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const timer = killAfter === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), killAfter);
  return new Promise((resolve, reject) => {
    child.once('close', (code, killedBy) => {
      clearTimeout(timer);
      if (code !== 0 && killedBy === null) reject(new Error(`the maker ended with ${code}`));
      else resolve(killedBy === null ? 'done' : 'killed');
    });
  });
}

/** Ids and subnets of the test's labs, also of those whose record was never written. */
function knownLabs(): { id: string; subnet: string }[] {
  const claims = existsSync('/run/remuda-lab')
    ? readdirSync('/run/remuda-lab').filter((name) => name.endsWith('.claim'))
    : [];
  const own = claims.flatMap((name) => {
    const claim = JSON.parse(execFileSync('cat', [join('/run/remuda-lab', name)]).toString());
    return claim.folder.startsWith(stateFolder) ? [claim] : [];
  });
  return [...labsIn(stateFolder), ...own];
}

afterEach(async () => {
  for (const { cluster } of await listLabs(settings)) await provider.sweep(cluster, signal);
});

afterAll(() => {
  rmSync(stateFolder, { recursive: true, force: true });
  rmSync(keys, { recursive: true, force: true });
});

describe('kill -9 of the process that makes or removes a lab, at random points', () => {
  const random = randomNumbers(seed);
  const points = Array.from({ length: rounds }, (_, index) => ({ index, point: random() }));

  test.for(points)(`seed ${seed}, making, round $index: sweep leaves nothing`, async ({ index, point }) => {
    const name = `kill${index}`;
    await runMaker(name, 'create', 100 + point * 1500);
    const labs = knownLabs();
    const listedNow = await provider.machines.list(clusterOf(name));
    expect(listedNow.every((machine) => ['creating', 'broken', 'running'].includes(machine.state))).toBe(
      true,
    );
    expect((await provider.sweep(clusterOf(name), signal)).left).toEqual([]);
    expect(footprint(stateFolder, labs)).toEqual([]);
  });

  test.for(points)(
    `complaint 3: seed ${seed}, making, round $index: a repeat completes without cleaning up`,
    async ({ index, point }) => {
      const name = `again${index}`;
      await runMaker(name, 'create', 100 + point * 1500);
      const before = (await provider.machines.list(clusterOf(name))).filter(
        (machine) => machine.state === 'running',
      );
      expect(await runMaker(name, 'create')).toBe('done');
      const after = await provider.machines.list(clusterOf(name));
      expect(after.map((machine) => machine.state)).toEqual(['running', 'running', 'running']);
      expect(new Set(after.map((machine) => machine.address)).size).toBe(3);
      for (const machine of before) expect(after).toContainEqual(machine);
      const names = await Promise.all(after.map((machine) => onHost(machine, 'hostname')));
      expect(names).toEqual(machines);
      const labs = knownLabs();
      expect((await provider.sweep(clusterOf(name), signal)).left).toEqual([]);
      expect(footprint(stateFolder, labs)).toEqual([]);
    },
  );

  test.for(points)(`seed ${seed}, removing, round $index: sweep finishes it`, async ({ index, point }) => {
    const name = `down${index}`;
    await runMaker(name, 'create');
    const labs = knownLabs();
    await runMaker(name, 'destroy', 100 + point * 600);
    expect((await provider.sweep(clusterOf(name), signal)).left).toEqual([]);
    expect(footprint(stateFolder, labs)).toEqual([]);
  });
});

describe('labs and their neighbours', () => {
  test('hosts survive the death of their maker and are found again by a new process', async () => {
    expect(await runMaker('orphan', 'create')).toBe('done');
    const found = await new LabProvider(settings).machines.list(clusterOf('orphan'));
    expect(found.map((machine) => [machine.name, machine.state])).toEqual(
      machines.map((name) => [name, 'running']),
    );
    const again = await provider.machines.create(requestFor(clusterOf('orphan'), 'a'), signal);
    expect(again).toEqual(found[0]);
    expect(await onHost(again, 'hostname')).toBe('a');
  });

  test('two labs side by side have networks of their own; removing one leaves the other alone', async () => {
    await Promise.all([runMaker('left', 'create'), runMaker('right', 'create')]);
    const labs = labsIn(stateFolder);
    expect(new Set(labs.map((lab) => lab.subnet)).size).toBe(2);
    const [right] = await provider.machines.list(clusterOf('right'));
    if (!right) throw new Error('the right lab has no machines');
    const boot = await onHost(right, 'cat /proc/sys/kernel/random/boot_id');
    await expect(
      onHost(right, `ping -c1 -W1 ${(await provider.machines.list(clusterOf('left')))[0]?.address}`),
    ).rejects.toThrow();
    expect((await provider.sweep(clusterOf('left'), signal)).left).toEqual([]);
    expect(await onHost(right, 'cat /proc/sys/kernel/random/boot_id')).toBe(boot);
    expect(await provider.machines.list(clusterOf('left'))).toEqual([]);
  });

  test('a lab whose records were deleted by hand is found by its labels', async () => {
    expect(await runMaker('amnesia', 'create')).toBe('done');
    const labs = labsIn(stateFolder);
    const [folder = ''] = readdirSync(stateFolder);
    rmSync(join(stateFolder, folder, 'lab.json'));
    for (const name of machines) rmSync(join(stateFolder, folder, 'machines', name), { recursive: true });
    const proof = await sweepBox(settings, false, signal);
    expect(proof.left).toEqual([]);
    expect(proof.gone.filter((entry) => entry.type === 'process').length).toBeGreaterThan(machines.length);
    expect(footprint(stateFolder, labs)).toEqual([]);
  });

  test('an existing container, namespace, control group and route of somebody else are never touched', async () => {
    const foreign = new Foreigners();
    try {
      expect(await runMaker('guest', 'create')).toBe('done');
      expect((await sweepBox(settings, true, signal)).left).toEqual([]);
      expect(foreign.areUntouched()).toEqual({ container: true, namespace: true, group: true, route: true });
    } finally {
      foreign.remove();
    }
  });
});

/** Things that look like ours and are not: a nspawn container, a named namespace, a control group, a blocked subnet. */
class Foreigners {
  readonly folder = mkdtempSync('/var/tmp/foreign-');
  readonly namespace = join(this.folder, 'net');
  readonly group = '/sys/fs/cgroup/pids/remuda-lab-of-somebody-else';
  readonly subnet = '10.78.1.0/24';
  readonly container: number;

  constructor() {
    writeFileSync(this.namespace, '');
    execFileSync('unshare', [`--net=${this.namespace}`, 'true']);
    mkdirSync(this.group, { recursive: true });
    execFileSync('ip', ['route', 'add', 'unreachable', this.subnet, 'metric', '4096']);
    const root = join(this.folder, 'root');
    mkdirSync(join(root, 'usr'), { recursive: true });
    writeFileSync(join(root, 'usr/os-release'), 'ID=foreign\n');
    const mounts = ['bin', 'lib', 'lib64', 'usr/bin', 'usr/lib'].map((path) => `--bind-ro=/${path}`);
    const options = [
      '--quiet',
      `--directory=${root}`,
      '--register=no',
      '--keep-unit',
      '--private-network',
      ...mounts,
    ];
    const child = spawn('systemd-nspawn', [...options, '/bin/sleep', '600'], {
      stdio: 'ignore',
      detached: true,
    });
    child.unref();
    if (child.pid === undefined) throw new Error('systemd-nspawn did not start');
    this.container = child.pid;
  }

  areUntouched(): Record<'container' | 'namespace' | 'group' | 'route', boolean> {
    return {
      container: execFileSync('ps', ['-o', 'stat=,comm=', '-p', String(this.container)])
        .toString()
        .includes('systemd-nspawn'),
      namespace: execFileSync('stat', ['-fc', '%T', this.namespace]).toString().trim() === 'nsfs',
      group: existsSync(this.group),
      route: execFileSync('ip', ['route', 'show', 'type', 'unreachable']).toString().includes(this.subnet),
    };
  }

  remove(): void {
    process.kill(this.container, 'SIGTERM');
    execFileSync('umount', [this.namespace]);
    rmdirSync(this.group);
    execFileSync('ip', ['route', 'del', 'unreachable', this.subnet, 'metric', '4096']);
    execFileSync('/bin/sh', [
      '-c',
      'while [ -d /proc/$1/root/proc ]; do sleep 0.05; done',
      'sh',
      String(this.container),
    ]);
    rmSync(this.folder, { recursive: true, force: true });
  }
}
