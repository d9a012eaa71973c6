import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Role } from '../../../daemon/access/principals.ts';
import { parseStream } from '../../../daemon/spec/stream.ts';
import { codeOf } from './fake-browser.ts';
import { addFakeCluster, grantRole } from './fake-clusters.ts';
import { type FakeSite, startFakeSite } from './fake-site.ts';
import { ask } from './http.ts';

let site: FakeSite;
beforeAll(async () => {
  site = await startFakeSite();
  for (const name of ['demo', 'other']) addFakeCluster(site, name);
});
afterAll(() => site[Symbol.asyncDispose]());

const provider = `apiVersion: remuda.dev/v1alpha1
kind: Provider
metadata: { name: lab }
spec: { type: lab, lab: { subnet: 10.77.0.0/24 } }
`;
const secret = `apiVersion: remuda.dev/v1alpha1
kind: Secret
metadata: { name: s }
stringData: { password: x }
`;
const policy = `apiVersion: remuda.dev/v1alpha1
kind: Policy
metadata: { name: p }
spec:
  validations: [{ expression: object.spec.controlPlane.replicas >= 3 }]
`;
const cluster = (name: string): string => `apiVersion: remuda.dev/v1alpha1
kind: Cluster
metadata: { name: ${name} }
spec:
  provider: lab
  kubernetes: { version: "1.20.2" }
  controlPlane: { replicas: 3 }
  workers: [{ name: general, replicas: 2 }]
  clusterNetwork:
    pods: { cidrBlocks: [10.244.0.0/16] }
    services: { cidrBlocks: [10.96.0.0/12] }
    serviceDomain: cluster.local
`;

const tokens = new Map<string, string>();
function tokenOf(role: Role, inDemo?: Role): string {
  const name = `files-${role}-${inDemo ?? 'nothing'}`;
  const known = tokens.get(name);
  if (known !== undefined) return known;
  const { token, view } = site.tokens.issue({ name, role, days: 1 });
  if (inDemo !== undefined) grantRole(site, view.principal, 'demo', inDemo);
  tokens.set(name, token);
  return token;
}

/** Whether the engine was asked at all, and what the door said. */
async function send(path: string, token: string, text: string): Promise<string> {
  const before = site.engine.asked.length;
  const answer = await ask(`${site.url}/api/v1/${path}`, site.authority.certificate, {
    method: 'POST',
    token,
    body: JSON.stringify({ text }),
  });
  if (site.engine.asked.length > before) return 'done';
  return answer.status === 403 ? 'forbidden' : `${answer.status} ${codeOf(answer)}`;
}

const { policies, problems } = parseStream(policy, { file: '-' });
test('the policy of these tests is a good one', () => {
  expect([policies.length, problems]).toEqual([1, []]);
});

const hooked = `${cluster('demo')}  hooks: [{ name: flush, at: beforeDrain, run: { machine: { script: sync } } }]
`;

describe('hooks take a right of their own (V10)', () => {
  test.each<[string, Role, Role | undefined, string]>([
    ['an operator changes clusters and writes no hooks', 'operator', undefined, 'forbidden'],
    ['nor does an operator of the cluster', 'user', 'operator', 'forbidden'],
    ['an administrator of the cluster does', 'user', 'admin', 'done'],
    ['and one of the server', 'admin', undefined, 'done'],
  ])('%s', async (_what, role, inDemo, wanted) => {
    expect(await send('apply', tokenOf(role, inDemo), hooked)).toBe(wanted);
    expect(await send('plans', tokenOf(role, inDemo), hooked)).toBe('done');
  });

  test('a token that was cut down to applying writes none, and who writes them is in the audit trail', async () => {
    const scope = { verbs: ['read', 'plan', 'apply'] };
    const { token } = site.tokens.issue({ name: 'hookless', role: 'admin', days: 1, scope });
    expect(await send('apply', token, cluster('demo'))).toBe('done');
    expect(await send('apply', token, hooked)).toBe('forbidden');
    const rows = site.state.audit.list(0, 10_000).filter(({ verb }) => verb === 'cluster.hook');
    expect(rows.at(-1)).toMatchObject({
      object: 'cluster/demo',
      outcome: 'allowed',
      detail: { hooks: ['flush'] },
    });
  });
});

describe('apply is decided document by document', () => {
  test.each<[string, Role, Role | undefined, string, string]>([
    ['an operator of a cluster changes it', 'user', 'operator', cluster('demo'), 'done'],
    ['and not another', 'user', 'operator', cluster('other'), 'forbidden'],
    ['and makes no new one', 'user', 'admin', cluster('fresh'), 'forbidden'],
    ['nor a provider', 'user', 'admin', provider, 'forbidden'],
    ['nor a secret', 'user', 'admin', secret, 'forbidden'],
    ['nor a policy', 'user', 'admin', policy, 'forbidden'],
    [
      'one foreign document spoils the file',
      'user',
      'operator',
      `${cluster('demo')}---\n${provider}`,
      'forbidden',
    ],
    [
      'also when it is the first',
      'user',
      'operator',
      `${cluster('other')}---\n${cluster('demo')}`,
      'forbidden',
    ],
    ['a viewer of it may not', 'user', 'viewer', cluster('demo'), 'forbidden'],
    ['nor a viewer of everything', 'viewer', undefined, cluster('demo'), 'forbidden'],
    ['who is operator there as well', 'viewer', 'operator', cluster('demo'), 'done'],
    ['an operator makes everything', 'operator', undefined, `${provider}---\n${cluster('fresh')}`, 'done'],
    ['but a policy', 'operator', undefined, policy, 'forbidden'],
  ])('%s', async (_what, role, inDemo, text, wanted) => {
    expect(await send('apply', tokenOf(role, inDemo), text)).toBe(wanted);
  });

  test('what cannot be read is refused before the engine sees it, whatever it hides', async () => {
    const token = tokenOf('user', 'operator');
    for (const text of [
      `${cluster('demo')}---\n${cluster('other').replace('kind: Cluster', 'kind: Clutser')}`,
      `${cluster('demo')}---\n? [`,
      cluster('demo').replace('name: demo', 'name: demo\n  name: other'),
    ])
      expect(await send('apply', token, text)).not.toBe('done');
  });
});

test.each<[string, Role, Role | undefined, string, string]>([
  ['a viewer of a cluster plans a change of it', 'user', 'viewer', cluster('demo'), 'done'],
  ['a mere user of it does not', 'user', 'user', cluster('demo'), 'forbidden'],
  ['nobody plans what is hidden', 'user', 'viewer', cluster('other'), 'forbidden'],
  [
    'a viewer of everything plans everything',
    'viewer',
    undefined,
    `${provider}---\n${cluster('fresh')}`,
    'done',
  ],
])('plan: %s', async (_what, role, inDemo, text, wanted) => {
  expect(await send('plans', tokenOf(role, inDemo), text)).toBe(wanted);
  expect(await send('preflight', tokenOf(role, inDemo), text)).toBe(wanted);
});

describe('C5: naming a secret is using it', () => {
  /** As clumsy as it can be: any key of this name, wherever it stands, has the secret handed to the agent. */
  const naming = (name: string, ...secrets: readonly string[]): string =>
    cluster(name).replace(
      'replicas: 2 }]',
      `replicas: 2 }${secrets.map((one, at) => `, { name: w${at}, replicas: 1, labels: { secretRef: ${one} } }`).join('')}]`,
    );
  beforeAll(() => {
    const document = { metadata: { name: 'demo' }, spec: { workers: [{ labels: { secretRef: 'agreed' } }] } };
    site.state.revisions.add({
      cluster: 'u-demo',
      number: 1,
      digest: `sha256:${'0'.repeat(64)}`,
      document,
      providerDocument: {},
      text: '',
      file: '-',
      principal: 'token:admin',
      at: '2026-11-21T05:00:00.000Z',
    });
  });
  const viewing = provider
    .replace('type: lab', 'type: hosts')
    .replace(
      'lab: { subnet: 10.77.0.0/24 }',
      'hosts: [{ role: worker, address: 10.9.0.9, ssh: { user: root, keyRef: { secretRef: foreign } } }]',
    );

  test.each<[string, 'apply' | 'plans', Role, Role | undefined, string, string]>([
    [
      'an operator of one cluster names no other secret',
      'apply',
      'user',
      'operator',
      naming('demo', 'foreign'),
      'forbidden',
    ],
    ['nor plans with it', 'plans', 'user', 'operator', naming('demo', 'foreign'), 'forbidden'],
    [
      'nor hides it behind one that is agreed',
      'apply',
      'user',
      'operator',
      naming('demo', 'agreed', 'foreign'),
      'forbidden',
    ],
    ['nor is an administrator there more', 'apply', 'user', 'admin', naming('demo', 'foreign'), 'forbidden'],
    [
      'but keeps what somebody with the right put there',
      'apply',
      'user',
      'operator',
      naming('demo', 'agreed'),
      'done',
    ],
    [
      'an operator of everything names what she likes',
      'apply',
      'operator',
      undefined,
      naming('demo', 'foreign'),
      'done',
    ],
    [
      'a viewer of everything plans with none',
      'plans',
      'viewer',
      undefined,
      naming('demo', 'foreign'),
      'forbidden',
    ],
    ['nor by way of a provider', 'plans', 'viewer', undefined, viewing, 'forbidden'],
    [
      'unless she brings it',
      'plans',
      'viewer',
      undefined,
      `${secret.replace('name: s', 'name: own')}---\n${naming('demo', 'own')}`,
      'done',
    ],
  ])('%s', async (_what, path, role, inDemo, text, wanted) => {
    expect(await send(path, tokenOf(role, inDemo), text)).toBe(wanted);
  });

  test('the answer does not tell whether there is such a secret', async () => {
    const answerTo = async (name: string): Promise<string> =>
      (
        await ask(`${site.url}/api/v1/apply`, site.authority.certificate, {
          method: 'POST',
          token: tokenOf('user', 'operator'),
          body: JSON.stringify({ text: naming('demo', name) }),
        })
      ).text
        .replaceAll(name, '…')
        .replace(/"instance":"[^"]+"/, '');
    site.state.secrets.put({
      name: 'there',
      sealed: 'x',
      keys: ['k'],
      principal: 'p',
      updatedAt: '2026-11-21T05:00:00.000Z',
    });
    expect(await answerTo('there')).toBe(await answerTo('none'));
  });
});
