import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { resolveSources } from '../../../daemon/spec/resolution.ts';
import { parseStream } from '../../../daemon/spec/stream.ts';

const provider = (credentials: string) => `# my provider
apiVersion: remuda.dev/v1alpha1
kind: Provider
metadata: { name: dc1 }
spec:
  type: vsphere
  vsphere:
    server: vcenter.dc1.example
    credentials: ${credentials}
    datacenter: DC1
    cluster: compute-a
    datastores: { templates: images, machines: nvme, volumes: capacity }
    network: k8s-nodes
`;

const secret = `apiVersion: remuda.dev/v1alpha1
kind: Secret
metadata:
  name: dc1-vcenter
stringData:
  username: robot
  password:
    fromEnv: VCENTER_PASSWORD
  key: { fromFile: "id_ed25519" }
`;

const nothing = (): string => {
  throw Object.assign(new Error('ENOENT'), { code: 'ENOENT' });
};

describe('resolveSources (DESIGN §3: fromEnv and fromFile are resolved by the CLI)', () => {
  it.each([
    '{ fromEnv: VCENTER_PASSWORD }',
    '{ fromEnv: "VCENTER_PASSWORD" }',
    '\n      fromEnv: VCENTER_PASSWORD',
  ])('replaces %j by a reference to a secret bound to the server, and keeps every line', (credentials) => {
    const text = provider(credentials);
    const resolved = resolveSources(text, {
      file: 'a.yaml',
      env: { VCENTER_PASSWORD: "it's: #1" },
      readFile: nothing,
    });
    expect(resolved.problems).toEqual([]);
    const { problems, secrets, documents, sanitizedText } = parseStream(resolved.text, {
      file: 'a.yaml',
      knownSecrets: [],
    });
    expect(problems).toEqual([]);
    expect(secrets).toMatchObject([
      { name: 'dc1-vsphere-credentials', data: { value: "it's: #1" }, destination: 'vcenter.dc1.example' },
    ]);
    expect(documents[0]?.document).toMatchObject({
      spec: { vsphere: { credentials: { secretRef: 'dc1-vsphere-credentials' } } },
    });
    const line = text.split('\n').findIndex((one) => one.includes('datacenter'));
    expect(resolved.text.split('\n')[line]).toContain('datacenter: DC1');
    expect(sanitizedText).toContain('# my provider');
  });

  it('puts values into Secret documents, one newline at the end of a file dropped', () => {
    const text = `${secret}---\n${provider('{ secretRef: dc1-vcenter }').replace('type: vsphere', 'type: vsphre')}`;
    const resolved = resolveSources(text, {
      file: 'a.yaml',
      env: { VCENTER_PASSWORD: 'pass' },
      readFile: (path) => `${path}: line 1\nline 2\n`,
    });
    expect(resolved.problems).toEqual([]);
    const { problems, secrets } = parseStream(resolved.text, { file: 'a.yaml' });
    expect(secrets[0]?.data).toEqual({
      username: 'robot',
      password: 'pass',
      key: 'id_ed25519: line 1\nline 2',
    });
    const line = text.split('\n').findIndex((one) => one.includes('vsphre')) + 1;
    expect(problems.map(({ code, place }) => [code, place?.line])).toEqual([['SPEC-014', line]]);
  });

  const backup = (destination: string): string => `apiVersion: remuda.dev/v1alpha1
kind: Cluster
metadata: { name: prod }
spec:
  backup:
    destination: ${destination}
`;
  const readers = { file: 'a.yaml', env: { KEY: 'one value' }, readFile: () => 'a private key' };

  it('names a single value for a backup server as the server wants it: its private key', () => {
    const text = backup('{ type: ssh, ssh: { host: b.example, credentials: { fromFile: id_ed25519 } } }');
    const resolved = resolveSources(text, readers);
    expect(resolved.problems).toEqual([]);
    const { secrets } = parseStream(resolved.text, { file: 'a.yaml' });
    expect(secrets.map(({ data }) => data)).toEqual([{ privateKey: 'a private key' }]);
  });

  it('refuses a single value for an S3 account, which is two, and says what to write instead', () => {
    const text = backup('{ type: s3, s3: { bucket: b, credentials: { fromEnv: KEY } } }');
    const { problems, text: left } = resolveSources(text, readers);
    expect(problems).toMatchObject([
      {
        code: 'SPEC-114',
        summary: expect.stringContaining('accessKeyId and secretAccessKey'),
        remedy: expect.stringContaining('accessKeyId: {fromEnv: …}'),
        place: { line: 6 },
      },
    ]);
    expect(left).toBe(text);
  });

  it('says which variable or file is missing, where it was asked for', () => {
    const text = `${secret}---\n${provider('{ fromEnv: EMPTY }')}`;
    const { problems } = resolveSources(text, { file: 'a.yaml', env: { EMPTY: '' }, readFile: nothing });
    expect(
      problems.map(({ code, summary, place }) => `${place?.line}:${place?.column} ${code} ${summary}`),
    ).toEqual([
      '8:14 SPEC-074 The environment variable VCENTER_PASSWORD is not set.',
      '9:20 SPEC-075 The file "id_ed25519" is not there.',
      '19:29 SPEC-074 The environment variable EMPTY is empty.',
    ]);
  });

  it('leaves a text without sources exactly as it is', () => {
    const text = `${provider('{ secretRef: x }')}---\nnot: [yaml\n`;
    expect(resolveSources(text, { file: 'a.yaml', env: {}, readFile: nothing })).toEqual({
      text,
      problems: [],
    });
  });

  it('carries any secret unchanged', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (value) => {
        const { text } = resolveSources(`${secret}---\n${provider('{ fromEnv: VCENTER_PASSWORD }')}`, {
          file: 'a.yaml',
          env: { VCENTER_PASSWORD: value },
          readFile: () => 'x',
        });
        const { secrets } = parseStream(text, { file: 'a.yaml' });
        expect(secrets.map(({ data }) => data['password'] ?? data['value'])).toEqual([value, value]);
      }),
      { numRuns: 200 },
    );
  });
});
