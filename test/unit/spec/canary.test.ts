import { describe, expect, it } from 'vitest';
import { printDocument } from '../../../daemon/spec/printing.ts';
import { resolveSources } from '../../../daemon/spec/resolution.ts';
import { parseStream } from '../../../daemon/spec/stream.ts';
import { corpusNames, parseCorpus } from './corpus.ts';

const canary = 'canary-5f1c';

const provider = (credentials: string) => `apiVersion: remuda.dev/v1alpha1
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

const secret = (data: string) => `apiVersion: remuda.dev/v1alpha1
kind: Secret
metadata: { name: dc1-vcenter }
stringData:
  ${data}
`;

/** Places where people put secrets, well or badly written. */
const texts = [
  secret(`password: ${canary}`),
  secret(`password: "${canary}`),
  secret(`password: *${canary}`),
  secret(`password: &${canary} x`),
  secret(`password: !${canary} x`),
  secret(`password: @${canary}`),
  secret(`password: "\\q${canary}"`),
  secret(`password: [${canary}]`),
  secret(`password: { value: ${canary} }`),
  secret(`password: { fromEnv: A, ${canary}: b }`),
  secret(`password: |\n    ${canary}\n   x`),
  secret(`password: ${canary}\n  password: ${canary}`),
  secret(canary),
  secret(`password: ${canary}`).replace('stringData', 'stringdata'),
  secret(`password: ${canary}`).replace('kind: Secret', 'kind: Secrets'),
  secret(`password: ${canary}`).replace('kind: Secret', `kind: Secret\npassword: ${canary}`),
  secret(`password: ${canary}`).replace('apiVersion: remuda.dev/v1alpha1', `apiVersion: { a: ${canary} }`),
  secret(`password: ${canary}`).replace('kind: Secret', 'kind: Secret\ndestination: [a]'),
  provider(canary),
  provider(`[${canary}]`),
  provider(`{ username: a, password: ${canary} }`),
  provider(`"${canary}`),
  provider(`{ secretRef: [${canary}] }`),
];

describe('a canary in every place of a secret (milestone A proof 5)', () => {
  it.each(texts)('appears in no problem, kept text or document: %#', (text) => {
    const stream = parseStream(text, { file: 'a.yaml', knownProviders: [], knownSecrets: [] });
    const { secrets: _, ...rest } = stream;
    expect(JSON.stringify(rest)).not.toContain(canary);
    for (const { document } of stream.documents) expect(printDocument(document)).not.toContain(canary);
  });

  it.each(texts.slice(0, 18))('has its line marked as confidential in a Secret: %#', (text) => {
    const lines = text.split('\n');
    const { problems } = parseStream(text, { file: 'a.yaml' });
    for (const { place } of problems)
      if (lines[(place?.line ?? 1) - 1]?.includes(canary)) expect(place?.confidential).toBe(true);
  });

  it('appears in no problem of the corpus, where broken files hold it too', () => {
    for (const name of corpusNames()) {
      const { secrets: _, ...rest } = parseCorpus(name);
      expect(JSON.stringify(rest), name).not.toContain(canary);
    }
  });

  it('does not change the digest of the document that refers to it', () => {
    const digest = (value: string) =>
      parseStream(`${secret(`password: ${value}`)}---\n${provider('{ secretRef: dc1-vcenter }')}`, {
        file: 'a.yaml',
      }).documents[0]?.revisionDigest;
    expect(digest(canary)).toBe(digest('other'));
  });

  it('appears in no problem of resolving sources, whatever the reader throws', () => {
    const { problems } = resolveSources(provider('{ fromFile: password.txt }'), {
      file: 'a.yaml',
      env: {},
      readFile: () => {
        throw new Error(`cannot read ${canary}`);
      },
    });
    expect(problems.map((problem) => problem.code)).toEqual(['SPEC-075']);
    expect(JSON.stringify(problems)).not.toContain(canary);
  });
});
