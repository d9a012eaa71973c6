import { X509Certificate } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openAuthority } from '../../../appliance/agent/authority/authority.ts';
import { drawClusterKeys, mintClient } from '../../../appliance/agent/pki.ts';
import type { AuthoritySource } from '../../../provisioners/contract/authority.ts';
import type { ClusterKeys } from '../../../provisioners/contract/secrets.ts';
import { EtcdCluster } from '../backup/etcd-cluster.ts';
import { FakeVault } from './fake-vault.ts';
import { authorityExtensions, OpenSsl } from './openssl.ts';

const openssl = new OpenSsl();
const vault = new FakeVault(openssl, ['issuing', 'root']);
let url = '';

beforeAll(async () => {
  openssl.make({ name: 'root', extensions: authorityExtensions(), key: 'rsa' });
  openssl.make({ name: 'issuing', by: 'root', extensions: authorityExtensions(1), days: 1500 });
  openssl.make({ name: 'rsa', by: 'root', extensions: authorityExtensions(), key: 'rsa' });
  openssl.make({ name: 'server-root', extensions: authorityExtensions() });
  openssl.make({ name: 'server', by: 'server-root', extensions: ['subjectAltName=IP:127.0.0.1'] });
  url = await vault.start(openssl.read('server.crt'), openssl.read('server.key'));
});

afterEach(() => {
  for (const key of Object.keys(vault.manners)) Reflect.deleteProperty(vault.manners, key);
  vault.asked.length = 0;
  vault.signed = 0;
});

afterAll(async () => {
  await vault.stop();
  openssl.remove();
});

/** The agent's own way from a source and a secret to a cluster's keys. */
async function draw(
  source: AuthoritySource,
  secret: Readonly<Record<string, string>>,
  isLoopbackAllowed = true,
): Promise<ClusterKeys> {
  const secrets = { value: async (_name: string, key: string) => secret[key] ?? '' };
  const signal = AbortSignal.timeout(30_000);
  const now = new Date().toISOString();
  return drawClusterKeys(
    'prod',
    await openAuthority(source, { secrets, reach: { isLoopbackAllowed }, signal, now }),
  );
}

const given: AuthoritySource = { type: 'given', credentials: { secretRef: 'corporate' } };
const drawGiven = (name: string, ...above: readonly string[]): Promise<ClusterKeys> =>
  draw(given, {
    'tls.crt': [name, ...above].map((one) => openssl.read(`${one}.crt`)).join(''),
    'tls.key': openssl.read(`${name}.key`),
  });
const server = (more: Partial<Extract<AuthoritySource, { type: 'server' }>> = {}): AuthoritySource => ({
  type: 'server',
  url,
  mount: 'pki',
  credentials: { secretRef: 'vault' },
  trusted: openssl.read('server-root.crt'),
  ...more,
});
const problem = (code: string, ...words: readonly string[]) => ({
  report: { code, summary: expect.stringMatching(new RegExp(words.join('.*'))) },
});

/** OpenSSL itself believes a leaf of each authority, from the root on. */
async function expectBelieved({ kubernetes, etcd, frontProxy }: ClusterKeys): Promise<void> {
  for (const [index, authority] of [kubernetes, etcd, frontProxy].entries()) {
    const leaf = await mintClient(authority, { commonName: 'ada', organizations: ['team'], seconds: 600 });
    const files = [
      openssl.write(`leaf-${index}`, leaf.certificate),
      openssl.write(`above-${index}`, authority.certificate + (authority.chain ?? '')),
    ];
    expect(
      openssl.run(
        'verify',
        '-x509_strict',
        '-CAfile',
        'root.crt',
        '-untrusted',
        files[1] ?? '',
        files[0] ?? '',
      ),
    ).toContain('OK');
    // Each may sign for nobody but machines and people: no authority stands below it.
    expect(openssl.run('x509', '-in', files[1] ?? '', '-noout', '-text')).toContain('CA:TRUE, pathlen:0');
  }
  const keys = [kubernetes, etcd, frontProxy].map(({ key }) => key);
  expect(new Set(keys).size).toBe(3);
}

describe('an authority that somebody gives (H12)', () => {
  it.each(['issuing', 'rsa'])(
    '%s signs the three of a cluster, and OpenSSL believes what they sign',
    async (name) => {
      const keys = await drawGiven(name, 'root');
      await expectBelieved(keys);
      expect(new X509Certificate(keys.kubernetes.certificate).issuer).toContain(`CN=${name}`);
      // Nobody's authority outlives the one that signed it.
      const ends = [keys.kubernetes.certificate, openssl.read(`${name}.crt`)].map(
        (pem) => new X509Certificate(pem).validToDate,
      );
      expect(ends[0]?.getTime()).toBeLessThanOrEqual(ends[1]?.getTime() ?? 0);
      expect(keys.kubernetes.chain).not.toContain('PRIVATE');
    },
  );

  it('real etcd and the agent’s own client believe each other with nothing but the cluster’s authority', async () => {
    const cluster = await EtcdCluster.start(['m1'], 87, await drawGiven('issuing', 'root'));
    try {
      const members = await cluster.adapter().members(cluster.access);
      expect(members).toMatchObject([{ name: 'm1', healthy: true }]);
    } finally {
      await cluster.processes.stop();
    }
  });

  it.each<[string, string, readonly string[], number | undefined, RegExp]>([
    [
      'the certificate of a server',
      'PKI-012',
      ['basicConstraints=CA:FALSE'],
      undefined,
      /no certificate authority/,
    ],
    [
      'no basic constraints at all',
      'PKI-012',
      ['subjectAltName=DNS:a.example'],
      undefined,
      /no certificate authority/,
    ],
    [
      'no right to sign',
      'PKI-012',
      ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,digitalSignature'],
      undefined,
      /keyCertSign/,
    ],
    [
      'names it may sign for',
      'PKI-012',
      [...authorityExtensions(), 'nameConstraints=critical,permitted;DNS:.corp.example'],
      undefined,
      /nameConstraints/,
    ],
    [
      'servers alone to sign for',
      'PKI-012',
      [...authorityExtensions(), 'extendedKeyUsage=serverAuth'],
      undefined,
      /extendedKeyUsage/,
    ],
    ['no authority below it', 'PKI-013', authorityExtensions(0), undefined, /pathlen:0.*needs 1/],
    ['some months to live', 'PKI-014', authorityExtensions(), 200, /ends on \d{4}/],
  ])('is refused that has %s', async (what, code, extensions, days, words) => {
    const name = what.replaceAll(' ', '-');
    openssl.make({ name, by: 'root', extensions, ...(days === undefined ? {} : { days }) });
    await expect(drawGiven(name, 'root')).rejects.toMatchObject({
      report: { code, summary: expect.stringMatching(words) },
    });
  });

  it('is refused whose key, chain or text is wrong', async () => {
    const pem = (name: string): string => openssl.read(name);
    const other = { 'tls.crt': pem('issuing.crt'), 'tls.key': pem('rsa.key') };
    await expect(draw(given, other)).rejects.toMatchObject(
      problem('PKI-011', 'not that of the first certificate'),
    );
    const stranger = {
      'tls.crt': pem('issuing.crt') + pem('server-root.crt'),
      'tls.key': pem('issuing.key'),
    };
    await expect(draw(given, stranger)).rejects.toMatchObject(
      problem('PKI-015', 'issuing was not signed by server-root'),
    );
    const narrow = { name: 'narrow', by: 'root', extensions: authorityExtensions(0) };
    openssl.make(narrow);
    openssl.make({ name: 'below-narrow', by: 'narrow', extensions: authorityExtensions() });
    await expect(drawGiven('below-narrow', 'narrow', 'root')).rejects.toMatchObject(
      problem('PKI-013', 'narrow allows 0'),
    );
    await expect(draw(given, { 'tls.crt': 'x', 'tls.key': pem('rsa.key') })).rejects.toMatchObject(
      problem('PKI-010'),
    );
    await expect(draw(given, { 'tls.crt': pem('rsa.crt'), 'tls.key': 'x' })).rejects.toMatchObject(
      problem('PKI-010'),
    );
  });
});

describe('an authority behind a server, by URL and credentials (H12; DESIGN §8)', () => {
  it('signs the three of a cluster', async () => {
    const keys = await draw(server(), { token: `${vault.token}\n` });
    await expectBelieved(keys);
    expect(new X509Certificate(keys.etcd.certificate).subject).toBe('CN=etcd-ca of prod');
    expect(new X509Certificate(keys.etcd.certificate).issuer).toContain('CN=issuing');
    expect(vault.asked).toHaveLength(4);
  });

  it('is asked to sign nothing before what it signs with was judged', async () => {
    const narrow = new FakeVault(openssl, ['narrow-server', 'root']);
    openssl.make({ name: 'narrow-server', by: 'root', extensions: authorityExtensions(0) });
    const there = await narrow.start(openssl.read('server.crt'), openssl.read('server.key'));
    try {
      const drawn = draw(server({ url: there }), { token: narrow.token });
      await expect(drawn).rejects.toMatchObject(problem('PKI-013', 'narrow-server allows 0'));
      expect(narrow.signed).toBe(0);
    } finally {
      await narrow.stop();
    }
  });

  it.each<[string, number, RegExp]>([
    ['a redirection', 302, /status 302/],
    ['a sealed server', 503, /status 503/],
    ['a path that is not there', 404, /status 404/],
  ])('%s is told by its status, and not a word of the answer', async (_, status, words) => {
    vault.manners.status = status;
    const drawn = draw(server(), { token: vault.token }).catch((error: unknown) => error);
    expect(await drawn).toMatchObject({ report: { code: 'PKI-016', summary: expect.stringMatching(words) } });
    expect(JSON.stringify(await drawn)).not.toMatch(/must not be repeated|192\.0\.2\.1|hvs\./);
  });

  it('a wrong token, another key than asked, and another kind of server are told apart', async () => {
    await expect(draw(server(), { token: 'hvs.other' })).rejects.toMatchObject(problem('PKI-016', '403'));
    vault.manners.signsOther = 'rsa.csr';
    await expect(draw(server(), { token: vault.token })).rejects.toMatchObject(
      problem('PKI-017', 'not what was asked'),
    );
    vault.manners.isSomethingElse = true;
    await expect(draw(server(), { token: vault.token })).rejects.toMatchObject(
      problem('PKI-017', 'does not answer as'),
    );
    await expect(draw(server(), { token: 'a\nb: c' })).rejects.toMatchObject(problem('PKI-010', 'one line'));
  });

  it('attack: a server that does not prove itself, or stands where none may, hears nothing', async () => {
    const token = { token: vault.token };
    const trusted = openssl.read('root.crt');
    await expect(draw(server({ trusted }), token)).rejects.toMatchObject(problem('OUTGOING-004'));
    await expect(draw(server(), token, false)).rejects.toMatchObject(problem('OUTGOING-002'));
    await expect(draw(server({ url: 'https://169.254.169.254' }), token)).rejects.toMatchObject(
      problem('OUTGOING-002'),
    );
    expect(vault.asked).toEqual([]);
  });
});
