import * as fc from 'fast-check';
import { dump } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { withNewDefaults } from '../../../daemon/spec/kept.ts';
import { clusterDocumentSchema } from '../../../daemon/spec/schema/cluster.ts';
import { parseStream } from '../../../daemon/spec/stream.ts';
import { arbitraryOf } from './arbitrary.ts';

function read(text: string) {
  const [loaded] = parseStream(text, { file: 'a.yaml' }).documents;
  if (loaded?.document.kind !== 'Cluster') throw new Error('no cluster was read');
  return loaded.document;
}

describe('what an earlier release kept (DESIGN §4: release n reads n-1’s)', () => {
  it('is left as it is where it is whole', () => {
    fc.assert(
      fc.property(arbitraryOf(clusterDocumentSchema), (input) => {
        const document = read(dump(input));
        expect(withNewDefaults(document)).toEqual(document);
      }),
      { numRuns: 100 },
    );
  });

  it('gets the defaults of fields that came since, as if nobody had written them', () => {
    const minimal = {
      apiVersion: 'remuda.dev/v1alpha1',
      kind: 'Cluster',
      metadata: { name: 'old' },
      spec: {
        provider: 'lab',
        kubernetes: { version: '1.20.2' },
        controlPlane: { replicas: 1 },
        workers: [{ name: 'w', replicas: 1 }],
      },
    };
    const document = read(dump(minimal));
    const { maintenance: _maintenance, upgrade: _upgrade, ...spec } = document.spec;
    const workers = spec.workers.map(({ labels: _labels, ...worker }) => worker);
    const kept = JSON.parse(JSON.stringify({ ...document, spec: { ...spec, workers } })) as typeof document;
    expect(withNewDefaults(kept)).toEqual(document);
  });
});
