import { X509Certificate } from 'node:crypto';
import { dump } from 'js-yaml';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { paths } from '../../provisioners/kubernetes/paths.ts';
import { blocksIn } from '../fleet/model/trust.ts';
import { authorityExtensions, OpenSsl } from '../integration/authority/openssl.ts';
import { answerFile } from './answer-file.ts';
import { World } from './harness.ts';
import { certifyKubelets, expectNothingToDo, refused, stage } from './rotation-story.ts';

let world: World;
let openssl: OpenSsl;

beforeEach(async () => {
  openssl = new OpenSsl();
  openssl.make({ name: 'corporate-root', extensions: authorityExtensions() });
  openssl.make({ name: 'corporate', by: 'corporate-root', extensions: authorityExtensions(1) });
  world = new World();
  await world.open();
});

afterEach(() => {
  const { violations } = world.fleet;
  world.close();
  openssl.remove();
  expect(violations).toEqual([]);
});

const certificates =
  'certificates: { authority: { type: given, given: { credentials: { secretRef: corporate } } } }';
const plain = answerFile({ masters: 1, workers: 1 });
const file = plain.replace('  deletion:', `  ${certificates}\n  deletion:`);

/** The file with its secret beside it. */
const withSecret = (name: string): string => {
  const stringData = {
    'tls.crt': openssl.read(`${name}.crt`) + openssl.read('corporate-root.crt'),
    'tls.key': openssl.read(`${name}.key`),
  };
  const secret = {
    apiVersion: 'remuda.dev/v1alpha1',
    kind: 'Secret',
    metadata: { name: 'corporate' },
    stringData,
  };
  return `${file}---\n${dump(secret)}`;
};

const contentOn = (path: string): string =>
  world.fleet
    .machines()
    .find(({ name }) => name === 'demo-cp-1')
    ?.files.get(path)?.content ?? '';

describe('the authorities of a cluster hang on one that somebody gives (H12)', () => {
  it('from the file to the masters: each signed by it, the chain for pods beside them, and the list shows it', async () => {
    const made = await world.run(world.apply(withSecret('corporate'), 'create'));
    expect(made?.state, world.explain()).toBe('succeeded');
    const found = ['ca', 'etcd/ca', 'front-proxy-ca'].map(
      (name) => new X509Certificate(contentOn(`${paths.pki}/${name}.crt`)),
    );
    const corporate = new X509Certificate(openssl.read('corporate.crt'));
    expect(found.map((one) => one.checkIssued(corporate) && one.verify(corporate.publicKey))).toEqual([
      true,
      true,
      true,
    ]);
    // The controller-manager signs with ca.crt and takes one certificate only; pods are given the whole chain.
    expect(contentOn(`${paths.pki}/ca.crt`).match(/BEGIN/g)).toHaveLength(1);
    expect(contentOn(paths.authorityChain).match(/BEGIN/g)).toHaveLength(3);
    const listed = await world.run(
      world.request(async (engine) => (await engine.observe('demo')).certificates ?? []),
    );
    const issuers = listed.filter(({ name }) => name.endsWith('ca')).map(({ issuer }) => issuer);
    expect(issuers).toEqual(['corporate', 'corporate', 'corporate']);

    // A second apply asks nobody to sign, and changes nothing (complaint 2).
    const calls = world.fleet.mutatingCalls;
    expect(await world.run(world.apply(file, 'again'))).toBeUndefined();
    expect(world.fleet.mutatingCalls).toBe(calls);
    const answer = await world.run(world.apply(plain, 'other').catch((error: unknown) => error));
    expect(JSON.stringify((answer as { problems?: unknown }).problems)).toContain(
      'fixed when the cluster is made',
    );
  });

  it('a plan with another authority takes the place of an earlier one, and is the one that runs', async () => {
    const plan = (text: string) =>
      world.run(world.request((engine) => engine.plan({ text, file: 'cluster.yaml', principal: 'tester' })));
    const first = await plan(plain);
    const second = await plan(withSecret('corporate'));
    expect(second.hash).not.toBe(first.hash);
    expect((await plan(withSecret('corporate'))).hash).toBe(second.hash);
    const text = withSecret('corporate');
    const asked = { text, file: 'cluster.yaml', principal: 'tester', planHash: second.hash };
    const { operations } = await world.run(world.request((engine) => engine.apply(asked)));
    const ended = await world.run(world.ended(operations[0]?.id ?? ''));
    expect(ended.state, world.explain()).toBe('succeeded');
    expect(new X509Certificate(contentOn(`${paths.pki}/ca.crt`)).issuer).toContain('CN=corporate');
  });

  it('one that cannot sign is refused with the plan, before anything is made; then another is taken', async () => {
    openssl.make({ name: 'narrow', by: 'corporate-root', extensions: authorityExtensions(0) });
    const answer = await world.run(
      world.apply(withSecret('narrow'), 'narrow').catch((error: unknown) => error),
    );
    const [problem] = (answer as { problems: readonly { code: string; summary: string }[] }).problems;
    expect(problem).toMatchObject({ code: 'PKI-013', summary: expect.stringContaining('pathlen:0') });
    expect(problem).toMatchObject({
      place: { line: expect.any(Number), field: 'spec.certificates.authority.given' },
    });
    expect(JSON.stringify(answer)).not.toContain('PRIVATE');
    expect(world.fleet.machines()).toEqual([]);
    expect((await world.run(world.apply(withSecret('corporate'), 'create')))?.state).toBe('succeeded');
  });

  it('signs the next ones when they are rotated, and pods are given both chains until the old one is dropped', async () => {
    expect((await world.run(world.apply(withSecret('corporate'), 'create')))?.state).toBe('succeeded');
    certifyKubelets(world);
    const names = ['ca', 'etcd/ca', 'front-proxy-ca'];
    const believed = () => names.map((name) => blocksIn(contentOn(`${paths.pki}/${name}.crt`)));
    const chain = () => blocksIn(contentOn(paths.authorityChain));
    const before = believed();
    const corporate = new X509Certificate(openssl.read('corporate.crt'));
    const isSigned = (pem: string): boolean => new X509Certificate(pem).verify(corporate.publicKey);
    await stage(world, 'trust');
    const both = believed();
    expect(both.map((pems) => pems.map(isSigned))).toEqual(names.map(() => [true, true]));
    expect(both.map(([first]) => first)).toEqual(before.flat());
    expect(chain()).toEqual(expect.arrayContaining(both[0] ?? []));
    expect(chain()).toHaveLength(6);
    await stage(world, 'reissue');
    expect(believed()).toEqual(both.map((pems) => pems.toReversed()));
    await stage(world, 'drop');
    expect(believed()).toEqual(both.map(([, next]) => [next]));
    expect(chain()).toHaveLength(3);
    expect(chain()[0]).toBe(both[0]?.[1]);
    await expectNothingToDo(world, file);
  });

  it('a rotation is refused while what signs is gone from the store, and nothing is drawn or changed', async () => {
    expect((await world.run(world.apply(withSecret('corporate'), 'create')))?.state).toBe('succeeded');
    certifyKubelets(world);
    const before = contentOn(`${paths.pki}/ca.crt`);
    world.daemon?.state.secrets.remove('corporate');
    const calls = world.fleet.mutatingCalls;
    expect(await refused(world, 'trust')).toMatchObject({ code: 'SECRET-001' });
    expect(world.fleet.mutatingCalls).toBe(calls);
    expect(contentOn(`${paths.pki}/ca.crt`)).toBe(before);
  });
});
