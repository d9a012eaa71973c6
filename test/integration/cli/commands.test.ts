import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { load } from 'js-yaml';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fakeOperation, fakeRefusal } from '../api/fake-engine.ts';
import { type FakeSite, startFakeSite } from '../api/fake-site.ts';
import { CommandLine } from './command.ts';

const root = resolve(import.meta.dirname, '..', '..', '..');
let site: FakeSite;
let cli: CommandLine;
beforeAll(async () => {
  site = await startFakeSite();
  cli = new CommandLine(site);
  const { plan: _plan, stepList: _steps, ...operation } = fakeOperation({ state: 'succeeded' });
  site.engine.clusters.set('demo', {
    uid: 'u-1',
    name: 'demo',
    provider: 'lab',
    phase: 'Ready',
    revision: 3,
    digest: 'sha256:abc',
    createdAt: '2026-11-20T05:00:00.000Z',
    operation,
    desired: { kind: 'Cluster', metadata: { name: 'demo' }, spec: { kubernetes: { version: '1.20.2' } } },
    yaml: 'kind: Cluster\n',
    text: 'kind: Cluster',
    observed: {
      cluster: { uid: 'u-1', name: 'demo' },
      at: '2026-11-21T05:00:00.000Z',
      infrastructure: { state: 'present', detail: '' },
      references: {},
      incarnations: {},
      retired: {},
      machines: [],
      nodes: [
        {
          name: 'demo-cp-1',
          ready: false,
          notReadyBecause: 'KubeletNotReady: \u001b[31mcni\u001b[0m',
          unschedulable: false,
          kubeletVersion: 'v1.20.2',
          controlPlane: true,
          labels: {},
          taints: [],
        },
      ],
      unseen: ['etcd did not answer'],
    },
  });
  site.engine.operations.set('op-1', fakeOperation());
});
afterAll(async () => {
  cli[Symbol.dispose]();
  await site[Symbol.asyncDispose]();
});

/** A file in the home of the command. */
function write(name: string, content: string): string {
  const path = join(cli.home, name);
  mkdirSync(resolve(path, '..'), { recursive: true });
  writeFileSync(path, content);
  return path;
}

describe('get and describe (H16, V12)', () => {
  test('tables, JSON and YAML of the same', async () => {
    expect((await cli.run(['get', 'clusters'])).out).toMatch(
      /^NAME +PHASE +HEALTH +PROVIDER.*\ndemo +Ready +- +lab +3 /,
    );
    const json = JSON.parse((await cli.run(['get', 'cluster', '-o', 'json'])).out) as {
      readonly items: readonly unknown[];
    };
    expect(json.items).toHaveLength(1);
    expect(load((await cli.run(['get', 'clusters', '-o', 'yaml'])).out)).toEqual(json);
    expect((await cli.run(['get', 'machines'])).out).toMatch(
      /demo +demo-cp-1 +control-plane +unseen +NotReady/,
    );
  });

  test('get cluster NAME -o yaml is the document alone', async () => {
    expect(load((await cli.run(['get', 'cluster', 'demo', '-o', 'yaml'])).out)).toMatchObject({
      kind: 'Cluster',
    });
  });

  test('an empty list says what to do, on stderr, so that pipes stay empty', async () => {
    const { out, err } = await cli.run(['get', 'providers']);
    expect([out, err]).toEqual(['', expect.stringContaining('remuda apply -f')]);
  });

  test('describe says why there is no fresh look, and shows the last one (complaint 1)', async () => {
    site.engine.refusal = fakeRefusal('unavailable', { summary: 'no agent of site "local" is connected' });
    const { code, out } = await cli.run(['describe', 'cluster', 'demo']);
    site.engine.refusal = undefined;
    expect([code, out]).toEqual([
      0,
      expect.stringContaining('not looked at afresh just now: no agent of site "local" is connected'),
    ]);
    expect(out).toContain('etcd did not answer');
    expect((await cli.run(['describe', 'cluster', 'demo'])).out).not.toContain('not looked at afresh');
  });

  test('describe shows what was not seen, and no control codes', async () => {
    const { out } = await cli.run(['describe', 'cluster', 'demo']);
    expect(out).toMatch(/^unseen (.* ago|yesterday): etcd did not answer$/m);
    expect(site.engine.asked.at(-1)).toEqual({ name: 'observe', request: 'demo' });
    expect(out).toContain('KubeletNotReady: cni');
    expect(out).not.toContain('\u001b');
  });

  test('logs and events', async () => {
    site.engine.say('hello \u001b[2J\u0007 from a machine');
    expect((await cli.run(['logs', 'op-1'])).out).toMatch(/m1 +hello .* from a machine/);
    site.engine.happen('step.started', { operation: 'op-1', step: 'machine.create/m1' });
    expect((await cli.run(['events'])).out).toContain('step.started');
    expect((await cli.run(['events', '-o', 'json'])).out).toMatch(/^\{"number":1,/);
    expect((await cli.run(['logs', 'nothing'])).code).toBe(1);
  });
});

describe('validate (V1), without a server', () => {
  const offline = { environment: { REMUDA_SERVER: 'https://127.0.0.1:9', REMUDA_TOKEN: '' } };

  test('a good file', async () => {
    const { code, out } = await cli.run(
      ['validate', '-f', join(root, 'ui/docs/examples/lab-ha.yaml')],
      offline,
    );
    expect([code, out]).toEqual([0, expect.stringMatching(/^valid: Provider\/lab, Cluster\//)]);
  });

  test('K11: files, folders and - : each problem in its own file and line, with a mark under the place', async () => {
    const good = readFileSync(join(root, 'ui/docs/examples/lab-small.yaml'), 'utf8');
    write('many/a.yaml', good);
    const bad = write(
      'many/b.yaml',
      '# a comment\napiVersion: remuda.dev/v1alpha1\nkind: Clutser\nmetadata: { name: x }\n',
    );
    const { code, err } = await cli.run(['validate', '-f', join(cli.home, 'many')], offline);
    expect(code).toBe(2);
    expect(err).toContain(`${bad}:3:`);
    expect(err).toMatch(/3 \| kind: Clutser\n +\| +\^/);
    const piped = await cli.run(['validate', '-f', '-'], { ...offline, input: good });
    expect(piped.code).toBe(0);
  });

  test('the line of a Secret is never shown', async () => {
    const path = write(
      'secret.yaml',
      'apiVersion: remuda.dev/v1alpha1\nkind: Secret\nmetadata: { name: x }\nstringData: { password: canary-in-file, other: [canary-in-file] }\n',
    );
    const { code, out, err } = await cli.run(['validate', '-f', path], offline);
    expect(code).toBe(2);
    expect(out + err).not.toContain('canary-in-file');
  });

  test('schema is JSON Schema', async () => {
    expect(JSON.parse((await cli.run(['schema'], offline)).out)).toHaveProperty('$schema');
  });
});

describe('secrets: never in argv, never answered', () => {
  test('from standard input and from a file', async () => {
    const path = write('key', 'canary-two\n');
    const { code, out, err } = await cli.run(
      ['secret', 'set', 'dc1', '--stdin', 'password', '--from-file', `key=${path}`],
      {
        input: 'canary-one\n',
      },
    );
    expect([code, out]).toEqual([0, 'secret dc1 kept, with key, password\n']);
    expect(out + err + site.log.join('')).not.toMatch(/canary/);
  });

  test.each([
    ['--from-file', 'password=canary-value'],
    ['--from-file', 'canary-value'],
  ])('a value given where a path belongs is not repeated: %s %s', async (...words) => {
    const { code, out, err } = await cli.run(['secret', 'set', 'dc1', ...words]);
    expect(code).toBe(2);
    expect(out + err).not.toContain('canary-value');
  });

  test('{fromEnv} and {fromFile} are read here and sent as values', async () => {
    write('pw.txt', 'from-the-file\n');
    const path = write(
      'sources.yaml',
      'apiVersion: remuda.dev/v1alpha1\nkind: Secret\nmetadata: { name: x }\nstringData:\n  a: { fromEnv: SOME_SECRET }\n  b: { fromFile: pw.txt }\n',
    );
    await cli.run(['apply', '-f', path], { environment: { SOME_SECRET: 'from-the-environment' } });
    const { request } = site.engine.asked.at(-1) ?? { request: undefined };
    expect(request).toMatchObject({
      text: expect.stringMatching(/from-the-environment.*from-the-file/s) as string,
    });
    expect((await cli.run(['apply', '-f', path])).code).toBe(2);
  });
});

describe('credentials', () => {
  test('kubeconfig runs the exec plugin of the cluster’s age; the key stays here, 0600, and is used again', async () => {
    const { code, out } = await cli.run(['kubeconfig', 'demo']);
    expect(code).toBe(0);
    expect(load(out)).toMatchObject({
      'current-context': 'demo',
      clusters: [{ cluster: { server: 'https://10.77.0.100:6443' } }],
      users: [
        {
          user: {
            exec: {
              apiVersion: 'client.authentication.k8s.io/v1beta1',
              command: join(root, 'remuda'),
              args: [
                'credential',
                '--cluster',
                'demo',
                '--authority',
                expect.any(String),
                '--exec-api',
                'v1beta1',
              ],
            },
          },
        },
      ],
    });
    expect(out).not.toContain('PRIVATE KEY');
    const asked = site.engine.asked.length;
    const credential = JSON.parse((await cli.run(['credential', '--cluster', 'demo'])).out) as Record<
      string,
      unknown
    >;
    expect(credential).toMatchObject({
      apiVersion: 'client.authentication.k8s.io/v1',
      kind: 'ExecCredential',
      status: {
        clientCertificateData: 'CERTIFICATE',
        clientKeyData: expect.stringContaining('PRIVATE KEY') as string,
      },
    });
    expect(site.engine.asked).toHaveLength(asked);
  });

  test('a cluster that was made anew under its name gets nothing that was kept of the old one (complaint 3)', async () => {
    const kubeconfig = load((await cli.run(['kubeconfig', 'demo'])).out) as {
      readonly users: readonly [{ readonly user: { readonly exec: { readonly args: readonly string[] } } }];
    };
    const words = kubeconfig.users[0].user.exec.args;
    site.engine.authority = 'CA of the new one';
    try {
      const { code, err } = await cli.run(words);
      expect(code).toBe(0);
      expect(err).toBe('');
      const fresh = (await cli.run(['kubeconfig', 'demo'])).out;
      expect(fresh).toContain(Buffer.from('CA of the new one').toString('base64'));
      const refused = await cli.run(words);
      expect(refused.code).toBe(1);
      expect(refused.err).toContain('CLI-048: cluster demo was made anew');
    } finally {
      site.engine.authority = 'CA';
    }
  });
});

describe('login', () => {
  test('keeps server, token and CA, 0600; later commands need nothing else', async () => {
    using other = new CommandLine();
    const login = await other.run(['login', site.url], { input: `${site.admin}\n` });
    expect([login.code, login.out]).toEqual([0, expect.stringContaining('token:admin (admin)')]);
    const file = join(other.home, '.config/remuda/config.json');
    expect(statSync(file).mode & 0o077).toBe(0);
    expect((await other.run(['get', 'clusters'])).code).toBe(0);
  });

  test('a wrong token or a wrong CA hash keeps nothing', async () => {
    using other = new CommandLine();
    const secret = site.admin.split('.').at(-1) ?? '';
    expect((await other.run(['login', site.url], { input: `${site.authority.hash}.wrong` })).code).toBe(1);
    expect((await other.run(['login', site.url], { input: `${'0'.repeat(64)}.${secret}` })).code).toBe(1);
    expect((await other.run(['login', site.url], { input: secret })).code).toBe(2);
    expect(existsSync(join(other.home, '.config/remuda/config.json'))).toBe(false);
  });
});

describe('the rest', () => {
  test('agent token and access tokens are printed alone, to be piped', async () => {
    expect((await cli.run(['agent', 'token', 'local'])).out).toBe(
      `${site.authority.hash}.enrolment-secret\n`,
    );
    const created = await cli.run(['token', 'create', 'ci', '--role', 'viewer']);
    expect(created.out).toMatch(/^[0-9a-f]{64}\.[\w-]{43}\n$/);
    const forbidden = await cli.run(['secret', 'remove', 'x'], {
      environment: { REMUDA_TOKEN: created.out.trim() },
    });
    expect([forbidden.code, forbidden.err]).toEqual([1, expect.stringContaining('ACCESS-002')]);
    expect((await cli.run(['token', 'revoke', 'ci'])).code).toBe(0);
    const revoked = await cli.run(['get', 'clusters'], { environment: { REMUDA_TOKEN: created.out.trim() } });
    expect([revoked.code, revoked.err]).toEqual([1, expect.stringContaining('ACCESS-001')]);
  });

  test.each(['bash', 'zsh'])('completion for %s names commands, subcommands and options', async (shell) => {
    const { out } = await cli.run(['completion', shell]);
    for (const word of ['validate', 'kubeconfig', 'resume', '--wait']) expect(out).toContain(word);
    expect(out).not.toContain('credential ');
  });

  test('version and help', async () => {
    expect((await cli.run(['version'])).out).toContain('server 0.0.0-test');
    expect((await cli.run(['help', 'apply'])).out).toContain('--bypass');
  });
});

test('a line that may hold a secret is pointed at and never shown (DESIGN §6)', async () => {
  const canary = 'canary-Zx81';
  const file = join(cli.home, 'inline.yaml');
  const text = [
    'apiVersion: remuda.dev/v1alpha1',
    'kind: Provider',
    'metadata: { name: dc1 }',
    'spec:',
    '  type: vsphere',
    '  vsphere:',
    '    server: vcenter.example',
    `    password: ${canary}`,
  ].join('\n');
  writeFileSync(file, text);
  const found = await cli.run(['validate', '-f', file]);
  expect([found.code, found.out + found.err]).toEqual([2, expect.stringContaining(`${file}:8`)]);
  expect(found.out + found.err).not.toContain(canary);
  // What the server refuses is told in the same way.
  site.engine.refusal = fakeRefusal('invalid', {
    place: { file, line: 8, column: 5, confidential: true },
  });
  const refused = await cli.run(['apply', '-f', file]);
  expect(refused.out + refused.err).not.toContain(canary);
});
