import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

/*
 * The shell scripts of the lab's add-ons, run as they are on fakes of the programs they call; only their paths point into
 * a folder of the test.
 */
const addons = resolve(import.meta.dirname, '..', '..', '..', 'provisioners/addons');

let folder: string;
let child: ChildProcess | undefined;
let output = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'remuda-addon-'));
  output = '';
  for (const name of ['bin', 'account', 'state', 'answers']) mkdirSync(join(folder, name));
  writeFileSync(join(folder, 'account', 'token'), 'canary-of-the-token');
  fake('curl', [
    // The watch lasts as long as the test; a list is what the test put there, and an error while it put nothing.
    'for word; do url=$word; done',
    'printf "%s\\n" "$*" >> "$FOLDER/state/curl.log"',
    'case $url in',
    '  *watch=1*) exec sleep 600 ;;',
    '  *) cat "$FOLDER/answers/${url##*/}" 2>/dev/null || exit 22 ;;',
    'esac',
  ]);
});
afterEach(async () => {
  if (child?.pid !== undefined) {
    const ended = once(child, 'exit');
    // The whole group: the watch sleeps in a process of its own.
    process.kill(-child.pid, 'SIGKILL');
    await ended;
  }
  child = undefined;
  rmSync(folder, { recursive: true, force: true });
});

function fake(name: string, lines: readonly string[]): void {
  const path = join(folder, 'bin', name);
  writeFileSync(path, `#!/bin/bash\n${lines.join('\n')}\n`);
  chmodSync(path, 0o755);
}

const answer = (name: string, body: unknown): void =>
  writeFileSync(join(folder, 'answers', name), typeof body === 'string' ? body : JSON.stringify(body));
const state = (name: string): string => {
  const path = join(folder, 'state', name);
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
};

function start(script: string, environment: Readonly<Record<string, string>>): void {
  const path = join(folder, 'script');
  const text = readFileSync(join(addons, script), 'utf8')
    .replace('/var/run/secrets/kubernetes.io/serviceaccount', join(folder, 'account'))
    .replace('/host/etc/cni/net.d', join(folder, 'state'))
    .replaceAll('/tmp/synchronised', join(folder, 'state', 'synchronised'))
    .replace('/run/dns', join(folder, 'state'));
  writeFileSync(path, text);
  child = spawn('bash', [path], {
    detached: true,
    env: {
      PATH: `${join(folder, 'bin')}:${process.env['PATH']}`,
      FOLDER: folder,
      KUBERNETES_SERVICE_HOST: '10.96.0.1',
      KUBERNETES_SERVICE_PORT: '443',
      ...environment,
    },
  });
  const take = (chunk: Buffer): void => {
    output += chunk.toString('utf8');
  };
  child.stdout?.on('data', take);
  child.stderr?.on('data', take);
}

const soon = { timeout: 60_000 };
const node = (name: string, podCIDR: string, address: string) => ({
  metadata: { name },
  spec: { podCIDR },
  status: {
    addresses: [
      { type: 'Hostname', address: name },
      { type: 'InternalIP', address },
    ],
  },
});
const nodes = (...items: readonly unknown[]) => ({ metadata: { resourceVersion: '7' }, items });

describe('routed-bridge', () => {
  const run = () =>
    start('network/routed-bridge/image/routed-bridge', { NODE_NAME: 'w-1', POD_CIDR: '10.244.0.0/16' });

  beforeEach(() => {
    // Fakes of ip and iptables that note what is changed; routes to 10.0.0.66 cannot be made.
    fake('ip', [
      'case "$*" in',
      '  "-4 -o address show to 10.0.0.21") echo "2: host0    inet 10.0.0.21/24 brd 10.0.0.255 scope global host0" ;;',
      '  "-o link show dev host0") echo "2: host0: <UP> mtu 1450 qdisc noqueue state UP mode DEFAULT group default" ;;',
      '  "-4 -o route show proto 117") cat "$FOLDER/state/routes" 2>/dev/null || : ;;',
      '  route*10.0.0.66*) exit 2 ;;',
      '  route*) printf "%s\\n" "$*" >> "$FOLDER/state/ip.log" ;;',
      'esac',
    ]);
    fake('iptables', [
      'case "$*" in *" -C "*|*" -L "*) exit 1 ;; *) printf "%s\\n" "$*" >> "$FOLDER/state/iptables.log" ;; esac',
    ]);
  });

  it('makes a route a node, takes away its own that nobody wants, and then says that it is ready', async () => {
    writeFileSync(join(folder, 'state', 'routes'), '10.244.9.0/24 via 10.0.0.29 dev host0 proto 117\n');
    answer(
      'nodes',
      nodes(node('w-1', '10.244.1.0/24', '10.0.0.21'), node('w-2', '10.244.2.0/24', '10.0.0.22')),
    );
    run();
    await expect.poll(() => existsSync(join(folder, 'state', 'synchronised')), soon).toBe(true);
    expect(state('ip.log').trim().split('\n')).toEqual([
      'route replace 10.244.2.0/24 via 10.0.0.22 proto 117',
      'route del 10.244.9.0/24 via 10.0.0.29 proto 117',
    ]);
    const conflist = JSON.parse(state('10-remuda.conflist')) as { readonly plugins: readonly unknown[] };
    expect(conflist.plugins[0]).toMatchObject({
      mtu: 1450,
      ipam: { ranges: [[{ subnet: '10.244.1.0/24' }]] },
    });
    // Exceptions stand before what they are exceptions of.
    const rules = state('iptables.log').trim().split('\n');
    expect(rules.findIndex((rule) => rule.includes('-A REMUDA-MASQ -j MASQUERADE'))).toBeGreaterThanOrEqual(
      0,
    );
    expect(rules).toContain('-w -t nat -I REMUDA-MASQ -d 10.244.0.0/16 -j RETURN');
    expect(state('curl.log') + output).not.toContain('canary-of-the-token');
  });

  it('is not ready while a route cannot be made, and goes on with the others', async () => {
    answer(
      'nodes',
      nodes(
        node('w-1', '10.244.1.0/24', '10.0.0.21'),
        node('w-2', '10.244.2.0/24', '10.0.0.66'),
        node('w-3', '10.244.3.0/24', '10.0.0.23'),
      ),
    );
    run();
    await expect.poll(() => state('curl.log').split('\n').length, soon).toBeGreaterThan(2);
    expect(state('ip.log')).toContain('route replace 10.244.3.0/24 via 10.0.0.23');
    expect(existsSync(join(folder, 'state', 'synchronised'))).toBe(false);
  });

  it('removes nothing while the API does not answer, or answers what is no list', async () => {
    writeFileSync(join(folder, 'state', 'routes'), '10.244.2.0/24 via 10.0.0.22 dev host0 proto 117\n');
    answer('nodes', '{"items": [');
    run();
    await expect.poll(() => state('curl.log').split('\n').length, soon).toBeGreaterThan(2);
    expect(state('ip.log')).toBe('');
  });
});

describe('cluster-dns', () => {
  const run = () => start('dns/cluster-dns/image/cluster-dns', { CLUSTER_DOMAIN: 'cluster.local' });
  const service = (name: string, clusterIP: string) => ({
    metadata: { name, namespace: 'default' },
    spec: { clusterIP },
  });

  beforeEach(() => fake('dnsmasq', ['trap : HUP', 'while :; do sleep 600 & wait $!; done']));

  it('serves Services, and the addresses behind headless ones', async () => {
    answer('services', nodes(service('kubernetes', '10.96.0.1'), service('etcd', 'None')));
    const endpoints = (name: string, ip: string) => ({
      metadata: { name, namespace: 'default' },
      subsets: [{ addresses: [{ ip }] }],
    });
    answer('endpoints', nodes(endpoints('etcd', '10.244.1.9'), endpoints('kubernetes', '10.0.0.11')));
    run();
    await expect
      .poll(() => state('hosts'), soon)
      .toBe('10.244.1.9 etcd.default.svc.cluster.local\n10.96.0.1 kubernetes.default.svc.cluster.local\n');
    expect(state('curl.log') + output).not.toContain('canary-of-the-token');
  });

  it('goes on with the whole list it has when a new one comes only half', async () => {
    answer('services', nodes(service('kubernetes', '10.96.0.1')));
    answer('endpoints', '{"items": [');
    run();
    await expect.poll(() => state('curl.log').split('\n').length, soon).toBeGreaterThan(3);
    expect(state('hosts')).toBe('');
    answer('endpoints', nodes());
    await expect.poll(() => state('hosts'), soon).toContain('kubernetes.default');
  });
});
