import { secretDestination } from '../destination.ts';
import type { DocumentProblem } from '../issue.ts';
import type { ProviderDocument } from '../documents.ts';
import type { Path } from '../schema/walk.ts';
import type { SecretSource } from '../schema/secret.ts';

/** A place in a document where a secret is asked for. */
export interface SecretUse {
  readonly path: Path;
  readonly source: SecretSource;
  /** The server the secret is given to there; undefined where the place names none. */
  readonly destination: string | undefined;
}

/** Every place of a provider where a secret stands, with the destination it is for. */
export function secretUses({ spec }: ProviderDocument): SecretUse[] {
  const destination = secretDestination({ spec });
  const uses: (SecretUse | undefined)[] = [
    spec.vsphere && use(['spec', 'vsphere', 'credentials'], spec.vsphere.credentials, destination),
    spec.ec2?.credentials && use(['spec', 'ec2', 'credentials'], spec.ec2.credentials, destination),
  ];
  for (const [index, { ssh }] of (spec.hosts ?? []).entries()) {
    const base: Path = ['spec', 'hosts', index, 'ssh'];
    // One SSH key serves many hosts: it proves itself without being sent, so it is bound to no single one.
    if (ssh.keyRef) uses.push(use([...base, 'keyRef'], ssh.keyRef, undefined));
    if (ssh.bastion?.keyRef) uses.push(use([...base, 'bastion', 'keyRef'], ssh.bastion.keyRef, undefined));
  }
  return uses.filter((found) => found !== undefined);
}

const use = (path: Path, source: SecretSource, destination: string | undefined): SecretUse => ({
  path,
  source,
  destination,
});

const kinds = ['secretRef', 'fromEnv', 'fromFile'] as const;

/** A source names exactly one place; a server knows neither the user's environment nor their files. */
export function sourceProblems(
  { path, source }: Pick<SecretUse, 'path' | 'source'>,
  allowSources: boolean,
): DocumentProblem[] {
  const given = kinds.filter((kind) => source[kind] !== undefined);
  const [first] = given;
  if (first === undefined || given.length > 1)
    return [
      {
        code: 'SPEC-072',
        path,
        summary:
          first === undefined
            ? `"${String(path.at(-1))}" does not say where the secret comes from.`
            : `"${String(path.at(-1))}" names ${given.join(' and ')}; only one can be meant.`,
        remedy: 'Write one of {secretRef: name}, {fromEnv: NAME} or {fromFile: path}.',
      },
    ];
  if (first === 'secretRef' || allowSources) return [];
  const what = first === 'fromEnv' ? 'an environment variable' : 'a file';
  return [
    {
      code: 'SPEC-073',
      path: [...path, first],
      summary: `"${first}" means ${what} of whoever runs the command line; the server cannot read it.`,
      remedy: 'Apply the file with `remuda apply`, or write {secretRef: name}.',
    },
  ];
}
