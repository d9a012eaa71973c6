import { serverOfAuthority } from '../authority.ts';
import type { ClusterDocument } from '../documents.ts';
import type { DocumentProblem } from '../issue.ts';
import { authorityTypes } from '../schema/certificates.ts';
import type { Path } from '../schema/walk.ts';
import type { ClusterContext } from './context.ts';
import type { SecretUse } from './sources.ts';

const base: Path = ['spec', 'certificates', 'authority'];

/** The section of the authority's type, and of no other. */
export function certificates({ cluster }: ClusterContext): DocumentProblem[] {
  const authority = cluster.spec.certificates?.authority;
  if (authority === undefined) return [];
  const { type } = authority;
  const of = (name: (typeof authorityTypes)[number]): object | undefined =>
    name === 'selfSigned' ? undefined : authority[name];
  const foreign = authorityTypes
    .filter((name) => name !== type && of(name) !== undefined)
    .map((name) => ({
      code: 'SPEC-113',
      path: [...base, name],
      atKey: true,
      summary: `The section "${name}" stands in an authority of type ${type}.`,
      remedy: `Remove the section, or write type: ${name}.`,
      related: [[...base, 'type']],
    }));
  if (type === 'selfSigned' || of(type) !== undefined) return foreign;
  return [
    ...foreign,
    {
      code: 'SPEC-113',
      path: [...base, 'type'],
      summary: `An authority of type ${type} needs a section "${type}" that describes it.`,
      remedy: `Add "${type}:" with its fields below "authority".`,
      related: [[...base, type]],
    },
  ];
}

/** Where a cluster's document names the secret of an authority, and the server it is for. */
export function authoritySecretUses({ spec }: Pick<ClusterDocument, 'spec'>): SecretUse[] {
  const { given, server } = spec.certificates?.authority ?? {};
  const path = (name: string): Path => [...base, name, 'credentials'];
  return [
    ...(given === undefined
      ? []
      : [{ path: path('given'), source: given.credentials, destination: undefined }]),
    ...(server === undefined
      ? []
      : [
          {
            path: path('server'),
            source: server.credentials,
            destination: serverOfAuthority(server.url),
          },
        ]),
  ];
}
