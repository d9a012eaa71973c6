import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { seal } from '../../../appliance/agent/sealing.ts';
import { fakeClusterKeys } from '../../fleet/ports/ports.ts';
import { fakeRefusal } from '../api/fake-engine.ts';
import { commandsOnFakeSite } from './site-commands.ts';

const cli = commandsOnFakeSite();
let folder: string;

const answers = `apiVersion: remuda.dev/v1alpha1
kind: Provider
metadata: { name: lab }
spec: { type: lab, lab: { subnet: 10.77.61.0/24 } }
---
apiVersion: remuda.dev/v1alpha1
kind: Cluster
metadata: { name: demo }
spec:
  provider: lab
  kubernetes: { version: "1.20.2" }
  addons: { network: { type: routed-bridge } }
`;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'remuda-hand-over-'));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const reference = {
  name: 'demo-cp-1',
  address: '10.77.61.11',
  port: 22,
  user: 'root',
  hostKeys: ['ssh-ed25519 AAAA'],
};

beforeEach(() => {
  cli.answerPlan('Eject demo\n', { kind: 'eject' });
  // As the agent does it: to the recipient that the command has drawn, and nobody else.
  cli.site.engine.handOver = async ({ cluster, recipient }) => ({
    cluster,
    at: '2026-11-21T22:00:00.000Z',
    recipient,
    sealed: await seal(
      [recipient],
      JSON.stringify({ receipt: 'the-receipt', keys: fakeClusterKeys(), kubeconfig: 'kind: Config\n' }),
    ),
    kubeconfigEnds: '2027-11-21T22:00:00.000Z',
    answerFile: answers,
    machines: [reference],
    masters: ['demo-cp-1'],
    certificates: [
      { machine: 'demo-cp-1', name: 'apiserver', notAfter: '2027-03-01T00:00:00.000Z' },
      { machine: 'demo-cp-1', name: 'etcd/server', notAfter: '2027-02-01T00:00:00.000Z' },
    ],
    endpoint: { host: '10.77.61.100', port: 6443 },
    kubernetesVersion: 'v1.20.2',
  });
});

describe('eject, from the command line (H23)', () => {
  test('keys and files come first, for their owner alone; the receipt in them begins it', async () => {
    const to = join(folder, 'given');
    const { code, out, err } = await cli.run(['eject', 'demo', '--to', to, '--confirm', 'demo']);
    expect({ code, err }).toMatchObject({ code: 0 });
    expect(cli.askedFor('startEject')).toMatchObject({
      cluster: 'demo',
      confirm: 'demo',
      receipt: 'the-receipt',
    });
    expect(cli.askedFor('handOver')).toMatchObject({ recipient: expect.stringMatching(/^age1/) });
    const modes = readdirSync(to, { recursive: true, withFileTypes: true }).map(
      (entry) => [entry.isFile(), statSync(join(entry.parentPath, entry.name)).mode & 0o777] as const,
    );
    expect(new Set(modes.filter(([isFile]) => isFile).map(([, mode]) => mode))).toEqual(new Set([0o600]));
    expect(readFileSync(join(to, 'pki/ca.key'), 'utf8')).toBe(fakeClusterKeys().kubernetes.key);
    expect(readFileSync(join(to, 'ssh/key'), 'utf8')).toBe(fakeClusterKeys().sshPrivateKey);
    expect(readFileSync(join(to, 'ssh/known_hosts'), 'utf8')).toBe('10.77.61.11 ssh-ed25519 AAAA\n');
    expect(readFileSync(join(to, 'answers.yaml'), 'utf8')).toBe(answers);
    // What nobody does from now on, and until when.
    const text = readFileSync(join(to, 'READ-ME.md'), 'utf8');
    expect(text).toContain('demo-cp-1: **2027-02-01** (etcd/server)');
    for (const duty of ['certs renew', 'certificate approve', 'snapshot save', 'cluster adopt'])
      expect(text).toContain(duty);
    expect(out + err).not.toContain('model kubernetes');
    expect(out + err).not.toContain('the-receipt');
  });

  test('nothing is fetched and nothing begun before somebody agreed (V8)', async () => {
    const { code, err } = await cli.run(['eject', 'demo', '--to', join(folder, 'none')]);
    expect({ code, err }).toMatchObject({ code: 7 });
    expect(cli.askedFor('handOver')).toBeUndefined();
    expect(cli.askedFor('startEject')).toBeUndefined();
  });

  test('keys are not mixed with other files: nothing is asked of the server then', async () => {
    const to = join(folder, 'full');
    rmSync(to, { recursive: true, force: true });
    await cli.run(['eject', 'demo', '--to', to, '--confirm', 'demo']);
    cli.site.engine.asked.length = 0;
    const { code, err } = await cli.run(['eject', 'demo', '--to', to, '--confirm', 'demo']);
    expect([code, err]).toEqual([2, expect.stringContaining('CLI-061')]);
    expect(cli.site.engine.asked).toEqual([]);
    expect((await cli.run(['eject', 'demo'])).err).toContain('CLI-060');
  });

  test('sealed to somebody else, it opens nothing and begins nothing', async () => {
    const to = join(folder, 'sealed');
    const recipient = `age1${'q'.repeat(58)}`;
    cli.site.engine.handOver = async ({ cluster }) => ({
      cluster,
      at: '2026-11-21T22:00:00.000Z',
      recipient,
      sealed: 'SEALED',
      kubeconfigEnds: '2027-11-21T22:00:00.000Z',
      answerFile: answers,
      machines: ['demo-cp-1', 'demo-etcd-1', 'demo-general-1'].map((name) => ({
        name,
        address: '10.77.61.12',
        port: 22,
        user: 'root',
        hostKeys: [],
      })),
      masters: ['demo-cp-1'],
      etcd: ['demo-etcd-1'],
      certificates: [],
      endpoint: { host: 'h', port: 6443 },
    });
    const { code } = await cli.run(['eject', 'demo', '--to', to, '--recipient', recipient]);
    expect(code).toBe(0);
    const text = readFileSync(join(to, 'READ-ME.md'), 'utf8');
    for (const [name, is] of [
      ['demo-cp-1', 'master'],
      ['demo-etcd-1', 'etcd'],
      ['demo-general-1', 'worker'],
    ])
      expect(text).toContain(`- ${name} (${is}): `);
    expect(text).toContain('On each master and each machine of etcd (demo-etcd-1), one after the other');
    expect(text).toContain('On a machine of etcd, as root');
    expect(text).not.toContain('etcd-MASTER');
    expect(readdirSync(to).sort()).toEqual(['READ-ME.md', 'answers.yaml', 'keys.age']);
    expect(cli.askedFor('startEject')).toBeUndefined();
    await cli.run(['eject', 'demo', '--receipt', 'opened elsewhere', '--confirm', 'demo']);
    expect(cli.askedFor('startEject')).toMatchObject({ receipt: 'opened elsewhere' });
  });
});

describe('cluster adopt, from the command line', () => {
  const written = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  const words = (): string[] => {
    const file = written('adopt.yaml', answers);
    const key = written('key', 'PRIVATE KEY OF SOMEBODY');
    return ['cluster', 'adopt', '-f', file, '--master', '10.77.61.11', '--ssh-key', key];
  };

  test('the key comes from a file and goes into the request alone', async () => {
    const { code, out, err } = await cli.run([...words(), '--host-key', 'SHA256:abc', '--take-over', '-y']);
    expect({ code, err }).toMatchObject({ code: 0 });
    expect(cli.askedFor('startImport')).toMatchObject({
      master: { address: '10.77.61.11', port: 22, user: 'root' },
      privateKey: 'PRIVATE KEY OF SOMEBODY',
      hostKey: 'SHA256:abc',
      takesOver: true,
    });
    expect(out + err).not.toContain('PRIVATE KEY');
    const plan = cli.site.engine.asked.find((one) => one.name === 'planImport');
    expect(plan).toBeUndefined();
  });

  test('without a word the plan is shown and nothing begun', async () => {
    const { code } = await cli.run(words());
    expect(code).toBe(7);
    expect(cli.askedFor('planImport')).toMatchObject({ takesOver: false });
    expect(cli.askedFor('startImport')).toBeUndefined();
  });

  test('what the file says otherwise is told at its line (K11)', async () => {
    cli.site.engine.refusal = fakeRefusal('invalid', {
      code: 'ADOPT-010',
      summary: 'cluster demo has v1.20.3, and the file asks for v1.20.2',
      remedy: 'Write v1.20.3 for now.',
      place: { document: 'Cluster/demo', field: 'spec.kubernetes.version' },
    });
    const { code, err } = await cli.run([...words(), '--yes']);
    expect(code).toBe(2);
    expect(err).toContain('ADOPT-010');
    expect(err).toContain('Write v1.20.3 for now.');
  });

  test('host keys of all machines come from a file of known hosts (H23)', async () => {
    const known = written('known_hosts', '10.77.61.11 ssh-ed25519 AAAA\n');
    const { code, err } = await cli.run([...words(), '--known-hosts', known, '-y']);
    expect({ code, err }).toMatchObject({ code: 0 });
    expect(cli.askedFor('startImport')).toMatchObject({ knownHosts: '10.77.61.11 ssh-ed25519 AAAA\n' });
    cli.site.engine.asked.length = 0;
    const missing = await cli.run([...words(), '--known-hosts', join(folder, 'nowhere'), '-y']);
    expect([missing.code, missing.err]).toEqual([2, expect.stringContaining('CLI-064')]);
    expect(cli.site.engine.asked).toEqual([]);
  });

  test('a key that cannot be read, and a port that is none, are refused before anything is asked', async () => {
    const missing = [...words().slice(0, -1), join(folder, 'nowhere')];
    expect((await cli.run(missing)).err).toContain('CLI-063');
    expect((await cli.run([...words(), '--ssh-port', 'many'])).err).toContain('CLI-062');
    expect(cli.site.engine.asked).toEqual([]);
  });
});
