import type { ProblemReport } from '../../provisioners/contract/problem.ts';
import type { ClusterDocument, KnownSecret, ProviderDocument, StreamOptions } from './documents.ts';
import type { DocumentProblem } from './issue.ts';
import { type PlacedDocument, placeOf, reportProblem } from './placing.ts';
import { isKind, type Reading, wrote } from './reading.ts';
import { providerProblems } from './rules/provider.ts';
import { clusterSecretUses } from './rules/backup.ts';
import { type SecretUse, secretUses, sourceProblems } from './rules/sources.ts';
import { overlaps, parseNetwork, parseRange } from './schema/address.ts';
import { completeCluster } from './completion.ts';
import { nearest } from './suggestion.ts';
import { clusterProblems, DEFAULT_SUPPORTED_VERSIONS, trusted } from './validation.ts';

interface Known<Document> {
  readonly document: Document;
  readonly placed: PlacedDocument;
  readonly isValid: boolean;
}

/** The rules that look at more than one field, over all documents of a stream. */
export function relationProblems(readings: readonly Reading[], options: StreamOptions): ProblemReport[] {
  const providers = documentsOf(readings, 'Provider');
  const clusters = documentsOf(readings, 'Cluster');
  const secrets = documentsOf(readings, 'Secret');
  const known: KnownSecret[] = secrets.map(({ document }) => ({
    name: document.metadata.name,
    destination: document.destination,
  }));
  return [
    ...duplicates(readings),
    ...readings.flatMap((reading) => providerReports(reading, known, options)),
    ...readings.flatMap((reading) => clusterReports(reading, { providers, secrets: known }, options)),
    ...boundTwice([...usesOf(providers, secretUses), ...usesOf(clusters, clusterSecretUses)], known, options),
    ...sharedAddresses(clusters, providers),
  ];
}

function documentsOf<Kind extends 'Provider' | 'Cluster' | 'Secret'>(
  readings: readonly Reading[],
  kind: Kind,
) {
  return readings.flatMap(({ read, placed }) =>
    isKind(read, kind) && read.document ? [{ document: read.document, placed, isValid: read.isValid }] : [],
  );
}

function duplicates(readings: readonly Reading[]): ProblemReport[] {
  const seen = new Map<string, PlacedDocument>();
  return readings.flatMap(({ read, placed }) => {
    const name = read?.document?.metadata.name;
    const isNamed = name !== undefined && read?.distrusted.every((path) => path[0] !== 'metadata');
    if (!read || !isNamed) return [];
    const key = `${read.kind} ${name}`;
    const earlier = seen.get(key);
    seen.set(key, earlier ?? placed);
    if (!earlier) return [];
    const { line } = placeOf(earlier, ['metadata', 'name']);
    return [
      reportProblem(placed, {
        code: 'SPEC-018',
        path: ['metadata', 'name'],
        summary: `${key} is described twice; the first time in line ${line}.`,
        remedy: 'Keep one of the two documents, or rename one.',
      }),
    ];
  });
}

function providerReports(
  { read, placed }: Reading,
  inStream: readonly KnownSecret[],
  options: StreamOptions,
): ProblemReport[] {
  if (!isKind(read, 'Provider') || !read.document) return [];
  const uses = secretUses(read.document);
  const found = [
    ...providerProblems(read.document),
    ...uses.flatMap((use) => secretUseProblems(use, inStream, options)),
  ];
  return trusted(found, read.distrusted).map((problem) => reportProblem(placed, problem));
}

const secretUseProblems = (
  use: SecretUse,
  inStream: readonly KnownSecret[],
  options: StreamOptions,
): DocumentProblem[] => [
  ...sourceProblems(use, options.allowSources === true),
  ...referenceProblems(use, inStream, options.knownSecrets),
];

function referenceProblems(
  { path, source, destination }: SecretUse,
  inStream: readonly KnownSecret[],
  stored: readonly KnownSecret[] | undefined,
): DocumentProblem[] {
  const name = source.secretRef;
  if (name === undefined) return [];
  const here = inStream.find((secret) => secret.name === name);
  const secret = here ?? stored?.find((candidate) => candidate.name === name);
  if (!secret) return stored === undefined ? [] : [unknownSecret(path, name, [...inStream, ...stored])];
  const isBoundElsewhere =
    destination !== undefined && secret.destination !== undefined && secret.destination !== destination;
  if (!isBoundElsewhere) return [];
  return [
    {
      code: 'SPEC-076',
      path: [...path, 'secretRef'],
      // Where the server itself is written wrongly, nothing is said of it.
      related: ['endpoint', 'host', 'port'].map((part) => [...path.slice(0, -1), part]),
      summary: `The secret "${name}" was given for ${secret.destination}, but here it would be sent to ${destination}.`,
      remedy: here
        ? `Write destination: ${destination} in the Secret if that server may have it.`
        : `Give the secret anew for this server: remuda secret set ${name}.`,
    },
  ];
}

function unknownSecret(
  path: SecretUse['path'],
  name: string,
  known: readonly KnownSecret[],
): DocumentProblem {
  const meant = nearest(
    name,
    known.map((secret) => secret.name),
  );
  return {
    code: 'SPEC-071',
    path: [...path, 'secretRef'],
    summary: `There is no secret "${name}", neither in this file nor in the store.`,
    remedy:
      meant === undefined
        ? `Add a \`kind: Secret\` document, or run: remuda secret set ${name}.`
        : `Did you mean ${meant}?`,
  };
}

/** One secret of the stream that would go to two servers is bound to the first; the second must be a decision. */
function boundTwice(
  uses: readonly (SecretUse & { readonly placed: PlacedDocument })[],
  inStream: readonly KnownSecret[],
  options: StreamOptions,
): ProblemReport[] {
  const bound = new Map<string, string>();
  return uses.flatMap(({ path, source, destination, placed }) => {
    const { secretRef } = source;
    if (secretRef === undefined || destination === undefined) return [];
    const isFixed = [...inStream, ...(options.knownSecrets ?? [])].some(
      (secret) => secret.name === secretRef && secret.destination !== undefined,
    );
    const first = bound.get(secretRef);
    bound.set(secretRef, first ?? destination);
    if (isFixed || first === undefined || first === destination) return [];
    return [
      reportProblem(placed, {
        code: 'SPEC-077',
        path: [...path, 'secretRef'],
        summary: `The secret "${secretRef}" would be sent to ${destination} as well as to ${first}.`,
        remedy: 'Use one secret for each server.',
      }),
    ];
  });
}

/** Every place of some documents where a secret stands. */
const usesOf = <Document>(
  documents: readonly Known<Document>[],
  usesIn: (document: Document) => SecretUse[],
): (SecretUse & { readonly placed: PlacedDocument })[] =>
  documents.flatMap(({ document, placed }) => usesIn(document).map((use) => ({ ...use, placed })));

function clusterReports(
  { read, placed }: Reading,
  here: {
    readonly providers: readonly Known<ProviderDocument>[];
    readonly secrets: readonly KnownSecret[];
  },
  options: StreamOptions,
): ProblemReport[] {
  const { providers } = here;
  if (!isKind(read, 'Cluster') || !read.document) return [];
  const cluster = read.document;
  const name = cluster.spec.provider;
  const provider = providerOf(name, providers, options.knownProviders);
  const context = {
    cluster,
    provider,
    supportedVersions: options.supportedVersions ?? DEFAULT_SUPPORTED_VERSIONS,
    isWritten: wrote(placed.root),
  };
  const found = [
    ...clusterProblems(context),
    ...clusterSecretUses(cluster).flatMap((use) => secretUseProblems(use, here.secrets, options)),
  ];
  if (
    !provider &&
    options.knownProviders !== undefined &&
    !providers.some((one) => one.document.metadata.name === name)
  )
    found.push(
      unknownProvider(name, [
        ...providers.map((one) => one.document.metadata.name),
        ...options.knownProviders.map((one) => one.metadata.name),
      ]),
    );
  return trusted(found, read.distrusted).map((problem) => reportProblem(placed, problem));
}

/** The provider of a name: of the stream, then of the store. One of the stream that has mistakes is not judged by. */
function providerOf(
  name: string,
  providers: readonly Known<ProviderDocument>[],
  stored: readonly ProviderDocument[] | undefined,
): ProviderDocument | undefined {
  const here = providers.find(({ document }) => document.metadata.name === name);
  if (here) return here.isValid ? here.document : undefined;
  return stored?.find((candidate) => candidate.metadata.name === name);
}

function unknownProvider(name: string, known: readonly string[]): DocumentProblem {
  const meant = nearest(name, known);
  const others = known.length === 0 ? '' : ` Known: ${known.join(', ')}.`;
  return {
    code: 'SPEC-070',
    path: ['spec', 'provider'],
    summary: `There is no provider "${name}", neither in this file nor in the store.`,
    remedy:
      meant === undefined ? `Add a \`kind: Provider\` document for it.${others}` : `Did you mean ${meant}?`,
  };
}

/** Two clusters of a stream on one provider must not share machine addresses or the API address. */
function sharedAddresses(
  clusters: readonly Known<ClusterDocument>[],
  providers: readonly Known<ProviderDocument>[],
): ProblemReport[] {
  const placedRanges = clusters.flatMap(({ document, placed, isValid }) => {
    const provider = providerOf(document.spec.provider, providers, []);
    const isChosenLater = provider?.spec.type === 'lab' && provider.spec.lab?.subnet === undefined;
    if (!provider || !isValid || isChosenLater) return [];
    const { nodeNetwork, endpointHost } = completeCluster(document, provider);
    const texts = [
      ...(nodeNetwork?.ranges ?? []),
      ...(endpointHost === undefined ? [] : [`${endpointHost}/32`]),
    ];
    const ranges = texts.flatMap((text) => parseRange(text) ?? parseNetwork(text) ?? []);
    return [{ name: document.metadata.name, provider: document.spec.provider, placed, ranges }];
  });
  return placedRanges.flatMap((later, index) =>
    placedRanges.slice(0, index).flatMap((earlier) => {
      const isShared =
        earlier.provider === later.provider &&
        later.ranges.some((range) => earlier.ranges.some((other) => overlaps(range, other)));
      if (!isShared) return [];
      const path = ['spec', wrote(later.placed.root)(['spec', 'nodeNetwork']) ? 'nodeNetwork' : 'provider'];
      return [
        reportProblem(later.placed, {
          code: 'SPEC-051',
          path,
          summary: `The clusters ${earlier.name} and ${later.name} would use the same addresses of provider "${later.provider}".`,
          remedy:
            'Give each cluster its own nodeNetwork and endpoint, or its own lab provider with another subnet.',
        }),
      ];
    }),
  );
}
