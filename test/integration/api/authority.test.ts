import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { agentIdentityOf, SiteAuthority } from '../../../daemon/access/authority.ts';
import {
  type Names,
  alternativeNames,
  exportPrivateKey,
  generateKeys,
  importPrivateKey,
  serverPurpose,
  signLeaf,
} from '../../../daemon/access/certificates.ts';
import { ensureRecoveryKey } from '../../../daemon/access/recovery.ts';
import { sealTo } from '../../../daemon/access/sealing.ts';
import { createRequest } from '../../../daemon/cli/certificate-request.ts';
import { armor, Decrypter } from 'age-encryption';
import { ask } from './http.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'remuda-authority-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const day = 24 * 60 * 60_000;

test('the CA is the same after a restart; its hash is what tokens carry', async () => {
  const first = await SiteAuthority.open(folder);
  const second = await SiteAuthority.open(folder);
  expect(second.hash).toBe(first.hash);
  expect(first.hash).toMatch(/^[0-9a-f]{64}$/);
});

test('a stolen CA key is worth nothing for other names: TLS clients refuse them by the constraints', async () => {
  const authority = await SiteAuthority.open(folder);
  const keys = await generateKeys();
  const stolen = await importPrivateKey(readFileSync(join(folder, 'ca.key'), 'utf8'));
  const serve = async (names: Names): Promise<string> => {
    const cert = await signLeaf(
      { certificate: authority.certificate, key: stolen },
      {
        subject: 'CN=forged',
        publicKey: keys.publicKey,
        purpose: serverPurpose,
        notBefore: new Date(Date.now() - day),
        notAfter: new Date(Date.now() + day),
        extensions: [alternativeNames(names)],
      },
    );
    const server = createServer(
      { key: await exportPrivateKey(keys.privateKey), cert },
      (_request, response) => response.end('{}'),
    );
    await new Promise<void>((done) => {
      server.listen(0, '127.0.0.1', done);
    });
    const { port } = server.address() as AddressInfo;
    try {
      return String((await ask(`https://127.0.0.1:${port}/`, authority.certificate)).status);
    } catch (error) {
      return String(error);
    } finally {
      server.close();
    }
  };
  expect(await serve({ dns: [], ip: ['127.0.0.1'] })).toBe('200');
  expect(await serve({ dns: ['bank.example'], ip: ['127.0.0.1'] })).toContain('permitted subtree violation');
  expect(await serve({ dns: [], ip: ['127.0.0.1', '8.8.8.8'] })).toContain('permitted subtree violation');
});

test('the server certificate is kept while it is good, and made anew when a third of its life is left', async () => {
  const serialAt = async (offset: number): Promise<string> => {
    const authority = await SiteAuthority.open(folder, [], () => Date.now() + offset);
    return new X509Certificate((await authority.serverIdentity()).cert).serialNumber;
  };
  const first = await serialAt(0);
  expect(await serialAt(50 * day)).toBe(first);
  expect(await serialAt(61 * day)).not.toBe(first);
});

test('a name given later that the CA may not sign for is said, not signed', async () => {
  const authority = await SiteAuthority.open(folder, ['remuda.site.example']);
  const { cert, refused } = await authority.serverIdentity([
    'remuda.site.example',
    'other.example',
    '8.8.8.8',
  ]);
  expect(refused).toEqual(['other.example', '8.8.8.8']);
  expect(new X509Certificate(cert).checkHost('remuda.site.example')).toBeDefined();
});

test('an agent certificate says site and epoch, whatever the request asked for, and serves no server', async () => {
  const authority = await SiteAuthority.open(folder);
  const { request } = await createRequest();
  const certificate = new X509Certificate(await authority.signAgent(request, { site: 'local', epoch: 7 }));
  expect(agentIdentityOf(certificate.subject.replace('CN=', ''))).toEqual({ site: 'local', epoch: 7 });
  expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2']);
  expect(Date.parse(certificate.validTo) - Date.now()).toBeLessThanOrEqual(7 * day);
  await expect(authority.signAgent('no request', { site: 'local', epoch: 7 })).rejects.toThrow('PKCS#10');
  const [head = '', ...rest] = request.split('\n');
  const tampered = [
    head,
    ...rest.map((line, index) => (index === 1 ? line.replace(/^./, (c) => (c === 'A' ? 'B' : 'A')) : line)),
  ].join('\n');
  await expect(authority.signAgent(tampered, { site: 'local', epoch: 7 })).rejects.toThrow('PKCS#10');
});

test.each(['agent:local', 'agent:../x:1', 'agent:LOCAL:1', 'remuda', 'agent:local:1:2', ''])(
  'the common name "%s" is no agent',
  (name) => expect(agentIdentityOf(name)).toBeUndefined(),
);

test('what is sealed to the recovery key is opened with the file that the owner took away, also after a restart', async () => {
  const first = await ensureRecoveryKey(folder);
  const secret = readFileSync(first.secretFile ?? '', 'utf8')
    .split('\n')
    .find((line) => line.startsWith('AGE-SECRET-KEY-'));
  rmSync(first.secretFile ?? '');
  const second = await ensureRecoveryKey(folder);
  expect(second).toEqual({ recipient: first.recipient });
  const decrypter = new Decrypter();
  decrypter.addIdentity(secret ?? '');
  const sealed = await sealTo([second.recipient], 'value');
  expect(await decrypter.decrypt(armor.decode(sealed), 'text')).toBe('value');
});
