import { isBare } from './bare-cluster.ts';
import type { Json, JsonObject } from '../../provisioners/contract/json.ts';
import type { Plan } from '../../provisioners/contract/plan.ts';
import type { ProblemReport } from '../../provisioners/contract/problem.ts';
import type { ProviderConfig } from '../../provisioners/contract/provider.ts';
import { withHooks } from '../planning/hooks.ts';
import { asAdopted, compareFound, digestsFor, etcdNoteFor } from '../planning/found-cluster.ts';
import { changeMachines } from '../planning/machine-change.ts';
import { planIntent } from '../planning/intents.ts';
import {
  apiPortOf,
  describePlan,
  natureOf,
  namedByStage,
  planCluster,
  planDeletion,
  planDrift,
  planRevival,
  releaseSteps,
  remedyOf,
} from '../planning/planner.ts';
import { authorityOf } from '../spec/authority.ts';
import { backupSettings } from '../spec/backup.ts';
import { completeCluster, labSubnetFor } from '../spec/completion.ts';
import {
  type ClusterDocument,
  isCluster,
  type KnownSecret,
  type ProviderDocument,
} from '../spec/documents.ts';
import { secretDestination } from '../spec/destination.ts';
import { hooksOf, secretsOfHooks } from '../spec/hooks.ts';
import { withNewDefaults } from '../spec/kept.ts';
import { placeOfField } from '../spec/location.ts';
import { type ChangedField, changedFields } from '../spec/mutability.ts';
import { printDocument } from '../spec/printing.ts';
import { parseDuration } from '../spec/schema/quantity-syntax.ts';
import { parseStream } from '../spec/stream.ts';
import type {
  DesiredCluster,
  DesiredProvider,
  KnownDocuments,
  ParsedFile,
  Planners,
  PlanningInput,
} from './planners.ts';

/** A document as plain JSON: what undefined members and class instances do not survive. */
const asJson = (document: ClusterDocument | ProviderDocument): JsonObject =>
  JSON.parse(JSON.stringify(document)) as JsonObject;

/** The site of the agent on the appliance itself; others come with milestone H. */
const localSite = 'local';

function desiredProvider(document: ProviderDocument): DesiredProvider {
  const { type } = document.spec;
  const section = (document.spec[type] ?? {}) as Json;
  const config: ProviderConfig = { name: document.metadata.name, type, config: section as JsonObject };
  return {
    name: document.metadata.name,
    config,
    document: asJson(document),
    site: localSite,
    destination: secretDestination(document) ?? `${type}/${document.metadata.name}`,
  };
}

/**
 * The cluster with every choice made and written into its document, so that what is kept says by itself where its
 * machines stand, also when the provider's own document changes later.
 */
function desiredCluster(
  document: ClusterDocument,
  provider: ProviderDocument,
  labSubnet: string | undefined,
): DesiredCluster {
  const { nodeNetwork, endpointHost } = completeCluster(document, provider, labSubnet);
  const { controlPlane } = document.spec;
  const host = endpointHost === undefined ? {} : { host: endpointHost };
  const completed: ClusterDocument = {
    ...document,
    spec: {
      ...document.spec,
      ...(nodeNetwork === undefined ? {} : { nodeNetwork }),
      controlPlane: { ...controlPlane, endpoint: { ...controlPlane.endpoint, ...host } },
    },
  };
  return keptCluster(completed);
}

/** A completed cluster as the engine reads it. */
function keptCluster(document: ClusterDocument): DesiredCluster {
  const { controlPlane, nodeNetwork, provider, maintenance, deletion } = document.spec;
  const { host, port } = controlPlane.endpoint;
  return {
    name: document.metadata.name,
    provider,
    document: asJson(document),
    ...(host === undefined ? {} : { endpoint: { host, port } }),
    apiPort: apiPortOf(document),
    ...(nodeNetwork === undefined ? {} : { nodeNetwork }),
    destroyLimit: maintenance.destroyLimit,
    maintenance: {
      windows: maintenance.windows,
      approvals: maintenance.approvals,
      pauseBetween: parseDuration(maintenance.drain.pauseBetween ?? ''),
    },
    backup: backupSettings(document),
    hookSecrets: secretsOfHooks(hooksOf(document)),
    ...optionalAuthority(document),
    isProtected: deletion.protected,
  };
}

function optionalAuthority(document: ClusterDocument): Pick<DesiredCluster, 'authority'> {
  const authority = authorityOf(document);
  return authority === undefined ? {} : { authority };
}

/** What was kept is a completed document (sizes in bytes): the schema of the file as written does not read it. */
const isKeptCluster = (document: JsonObject): document is JsonObject & ClusterDocument =>
  document['kind'] === 'Cluster';
const isKeptProvider = (document: JsonObject): document is JsonObject & ProviderDocument =>
  document['kind'] === 'Provider';

/** Kept documents never change, and are read again with every plan. */
const readBefore = new WeakMap<JsonObject, ClusterDocument | ProviderDocument>();

function readClusterDocument(document: JsonObject): ClusterDocument {
  const before = readBefore.get(document);
  if (before?.kind === 'Cluster') return before;
  if (!isKeptCluster(document)) throw new Error('what was kept as a Cluster is none');
  const read: ClusterDocument = withNewDefaults(document);
  readBefore.set(document, read);
  return read;
}

function readProviderDocument(document: JsonObject): ProviderDocument {
  const before = readBefore.get(document);
  if (before?.kind === 'Provider') return before;
  if (!isKeptProvider(document)) throw new Error('what was kept as a Provider is none');
  const read: ProviderDocument = withNewDefaults(document);
  readBefore.set(document, read);
  return read;
}

function parse(text: string, file: string, known: KnownDocuments): ParsedFile {
  const knownProviders = known.providers.map(readProviderDocument);
  const stream = parseStream(text, {
    file,
    knownProviders,
    knownSecrets: known.secrets satisfies readonly KnownSecret[],
  });
  const documents = stream.problems.length > 0 ? [] : stream.documents.map(({ document }) => document);
  const providers = documents.filter((document) => !isCluster(document)) as ProviderDocument[];
  const providerNamed = (name: string): ProviderDocument | undefined =>
    [...providers, ...knownProviders].find(({ metadata }) => metadata.name === name);
  const kept = known.clusters.map(readClusterDocument);
  const clusters: DesiredCluster[] = [];
  for (const document of documents.filter(isCluster)) {
    const provider = providerNamed(document.spec.provider);
    if (provider === undefined) continue;
    const placed = clusters.map((cluster) => readClusterDocument(cluster.document));
    const neighbours = { clusters: [...kept, ...placed], providers: [...providers, ...knownProviders] };
    clusters.push(desiredCluster(document, provider, labSubnetFor(document, provider, neighbours)));
  }
  return {
    problems: stream.problems,
    clusters,
    providers: providers.map(desiredProvider),
    secrets: stream.secrets,
    policies: stream.policies,
    text: stream.sanitizedText,
    place: (document, field) => placeOfField(text, file, document, field),
  };
}

/** A change that a field does not allow, in the words of the file. */
function refusalOf(cluster: string, { field, before, after }: ChangedField): ProblemReport {
  const words = (value: Json | undefined): string =>
    value === undefined ? 'nothing' : JSON.stringify(value);
  return {
    kind: 'user',
    code: 'PLAN-001',
    summary: `${field} of cluster ${cluster} is ${words(before)} and cannot become ${words(after)}: it is fixed when the cluster is made.`,
    remedy: `Write ${words(before)} again, or make a new cluster.`,
    place: { document: `Cluster/${cluster}`, field },
  };
}

/** What the planners read of documents and journal. */
const readInput = ({ desired, provider, hasReceipt, hasBegun, unfinished }: PlanningInput) => ({
  desired: readClusterDocument(desired.document),
  provider: readProviderDocument(provider.document),
  isEstablished: hasReceipt('control-plane.init'),
  mayHaveJoined: hasBegun('control-plane.join'),
  halfJoined: unfinished('control-plane.join'),
});

/** A plan with the hooks of the cluster's document. */
const hooked = (
  plan: Plan,
  {
    desired,
    observed,
    hooksFor,
  }: Pick<PlanningInput, 'desired' | 'observed'> & { readonly hooksFor?: string | undefined },
): Plan => withHooks(plan, { document: readClusterDocument(desired.document), observed, hooksFor });

/** The rooms `spec` and `planning` as the engine asks them; pure. */
export const answerFilePlanners: Planners = {
  parse,
  readCluster: (document) => keptCluster(readClusterDocument(document)),
  readProvider: (document) => desiredProvider(readProviderDocument(document)),
  printCluster: (document) => printDocument(readClusterDocument(document)),
  printProvider: (document) => printDocument(readProviderDocument(document)),
  checkChange: (before, after) =>
    changedFields(readClusterDocument(before.document), readClusterDocument(after.document))
      .filter(({ mutability }) => mutability === 'immutable')
      .map((change) => refusalOf(after.name, change)),
  changeMachines(desired, observed, change, earlier) {
    const before = earlier.map(readClusterDocument);
    const now = readClusterDocument(desired.document);
    const { document, retire } = changeMachines(now, observed, change, before);
    return { text: printDocument(document), retire };
  },
  planCluster: (input) => namedByStage(hooked(planCluster({ ...input, ...readInput(input) }), input)),
  planIntent: (input) => hooked(planIntent({ ...input, ...readInput(input) }), input),
  planDrift({
    desired,
    provider,
    hasReceipt: _hasReceipt,
    hasBegun: _hasBegun,
    unfinished: _unfinished,
    ...rest
  }) {
    const { steps, unmet } = planDrift({
      ...rest,
      desired: readClusterDocument(desired.document),
      provider: readProviderDocument(provider.document),
    });
    return { steps: steps.map((step) => ({ ...step, remedy: remedyOf(step, desired.name) })), unmet };
  },
  releaseSteps,
  planRevival: ({ desired, provider, observed, revision, unfinished }) =>
    planRevival({
      desired: readClusterDocument(desired.document),
      provider: readProviderDocument(provider.document),
      observed,
      revision,
      halfJoined: unfinished('control-plane.join'),
    }),
  planDeletion({ provider, desired: given, ...rest }) {
    // What is swept has no document.
    const desired = given === undefined || isBare(given) ? undefined : given;
    const plan = planDeletion({
      ...rest,
      ...(desired === undefined ? {} : { desired: readClusterDocument(desired.document) }),
      provider: readProviderDocument(provider.document),
    });
    const { observed, earlier } = rest;
    return desired === undefined ? plan : hooked(plan, { desired, observed, hooksFor: earlier?.hooksFor });
  },
  compareFound: (desired, provider, found) =>
    compareFound(readClusterDocument(desired.document), readProviderDocument(provider.document), found),
  marksOfFound(desired, provider, observed, etcd) {
    const asked = [readClusterDocument(desired.document), readProviderDocument(provider.document)] as const;
    const digests = digestsFor(...asked, observed);
    const etcdNote = etcdNoteFor(...asked, observed, etcd);
    const adopted = asAdopted(observed, digests, etcdNote);
    return { digests, adopted, ...(etcdNote === undefined ? {} : { etcdNote }) };
  },
  describePlan,
  natureOf,
};
