import { describe, expect, it } from 'vitest';
import { type ClusterDocument, isCluster } from '../../../daemon/spec/documents.ts';
import { changedFields } from '../../../daemon/spec/mutability.ts';
import { documentKinds, documentSchemas } from '../../../daemon/spec/reading.ts';
import { fieldsOf, schemaAt } from '../../../daemon/spec/schema/walk.ts';
import { parseStream } from '../../../daemon/spec/stream.ts';

function cluster(spec: string): ClusterDocument {
  const text = `apiVersion: remuda.dev/v1alpha1
kind: Cluster
metadata: { name: east }
spec:
  provider: lab
${spec}`;
  const { documents, problems } = parseStream(text, { file: 'a.yaml' });
  const [parsed] = documents;
  if (!parsed || !isCluster(parsed.document)) throw new Error(JSON.stringify(problems));
  return parsed.document;
}

describe('field metadata (DESIGN §3: each field declares its mutability)', () => {
  it.each(documentKinds)('every leaf of %s has a mutability and a help text of whole sentences', (kind) => {
    const leaves = fieldsOf(documentSchemas[kind]).filter((entry) => entry.isLeaf);
    expect(leaves.length).toBeGreaterThan(4);
    for (const { path, metadata } of leaves) {
      expect(metadata?.mutability, path).toMatch(/^(immutable|in-place|rolling-replace|new-machines-only)$/);
      expect(metadata?.help, path).toMatch(/^[A-Z`].*[.]$/);
    }
  });

  it.each(documentKinds)('every example of %s is a valid value of its field', (kind) => {
    for (const { path, schema, metadata } of fieldsOf(documentSchemas[kind]))
      if (metadata?.example !== undefined && 'safeParse' in schema) {
        const parts = path
          .replaceAll('[]', '.0')
          .split('.')
          .map((part) => (part === '0' ? 0 : part));
        const found = schemaAt(documentSchemas[kind], parts).schema;
        expect(found, path).toBe(schema);
        expect(fieldParses(schema, metadata.example), path).toBe(true);
      }
  });
});

const fieldParses = (schema: object, value: unknown): boolean =>
  'safeParse' in schema && typeof schema.safeParse === 'function' && schema.safeParse(value).success === true;

describe('changedFields', () => {
  const before = cluster(`  kubernetes: { version: "1.20.2" }
  workers: [{ name: a, replicas: 1 }, { name: b, replicas: 1 }]
`);

  it('finds nothing between a document and itself, whatever was left to defaults', () => {
    expect(changedFields(before, before)).toEqual([]);
    const explicit = cluster(`  kubernetes: { version: v1.20.2 }
  controlPlane: { replicas: 3 }
  workers: [{ name: a, replicas: 1, labels: {} }, { name: b, replicas: 1 }]
`);
    expect(changedFields(before, explicit)).toEqual([]);
  });

  it('names each changed field with its mutability, worker groups by name and not by position', () => {
    const after = cluster(`  kubernetes: { version: "1.20.3" }
  workers: [{ name: c, replicas: 2 }, { name: a, replicas: 4, machine: { cpus: 2, memory: 4Gi } }]
  clusterNetwork: { pods: { cidrBlocks: [10.245.0.0/16] } }
`);
    expect(changedFields(before, after).map(({ field, mutability }) => [field, mutability])).toEqual([
      ['spec.kubernetes.version', 'rolling-replace'],
      ['spec.workers[a].replicas', 'in-place'],
      ['spec.workers[a].machine.size', 'rolling-replace'],
      ['spec.workers[a].machine.cpus', 'rolling-replace'],
      ['spec.workers[a].machine.memory', 'rolling-replace'],
      ['spec.workers[b]', 'in-place'],
      ['spec.workers[c]', 'in-place'],
      ['spec.clusterNetwork.pods.cidrBlocks', 'immutable'],
    ]);
    expect(changedFields(before, after)[0]).toMatchObject({ before: '1.20.2', after: '1.20.3' });
  });

  it('does not call the uid a change', () => {
    const named = { ...before, metadata: { ...before.metadata, uid: '0b1f' } };
    expect(changedFields(before, named)).toEqual([]);
  });
});
