import { readdirSync, readFileSync } from 'node:fs';
import type { ProblemReport } from '../../../provisioners/contract/problem.ts';
import type { ParsedStream, ProviderDocument } from '../../../daemon/spec/documents.ts';
import { parseStream } from '../../../daemon/spec/stream.ts';

const folder = new URL('broken/', import.meta.url);

const stored = `
apiVersion: remuda.dev/v1alpha1
kind: Provider
metadata: { name: lab }
spec: { type: lab, lab: { subnet: 10.77.0.0/24 } }
---
apiVersion: remuda.dev/v1alpha1
kind: Provider
metadata: { name: dc1 }
spec:
  type: vsphere
  vsphere:
    server: vcenter.dc1.example
    credentials: { secretRef: dc1-vcenter }
    datacenter: DC1
    cluster: compute-a
    datastores: { templates: images, machines: nvme, volumes: capacity }
    network: k8s-nodes
`;

/** Providers `lab` and `dc1`, as a store would know them. */
export const knownProviders: readonly ProviderDocument[] = parseStream(stored, { file: 'store' })
  .documents.map((parsed) => parsed.document)
  .filter((document) => document.kind === 'Provider');

/** Secrets a store would know. */
export const knownSecrets = [{ name: 'dc1-vcenter', destination: 'vcenter.dc1.example' }] as const;

/** Names of the files in broken/, without ending. */
export const corpusNames = (): string[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => name.replace(/\.yaml$/, ''))
    .sort();

/** Text of a file in broken/. */
export const readCorpus = (name: string): string => readFileSync(new URL(name, folder), 'utf8');

/** Reads a file of broken/ with the store above. */
export const parseCorpus = (name: string): ParsedStream =>
  parseStream(readCorpus(`${name}.yaml`), { file: `${name}.yaml`, knownProviders, knownSecrets });

/** Problems as a person reads them: place, code, field, value; the sentence; what to do. */
export function renderProblems(problems: readonly ProblemReport[]): string {
  return problems
    .map(({ code, place, summary, remedy, value }) => {
      const where = `${place?.file}:${place?.line ?? '-'}:${place?.column ?? '-'}`;
      const field = place?.field === undefined ? '' : ` ${place.field}`;
      const shown = value === undefined ? '' : ` = ${value}`;
      return `${where} ${code}${field}${shown}\n  ${summary}\n  ${remedy}\n`;
    })
    .join('');
}
