import type { JsonObject } from '../../provisioners/contract/json.ts';
import { parseStream } from '../spec/stream.ts';
import { splitDocuments } from '../spec/source.ts';
import { type ClusterDocument, isCluster, type ProviderDocument } from '../spec/documents.ts';
import { secretsNamedIn } from '../operations/planners.ts';
import { Failure, forbidden } from './failure.ts';
import type { RouteRequest, Services } from './route.ts';

type Asked = Pick<RouteRequest<unknown, unknown>, 'may' | 'by'>;

/**
 * Refuses a file that holds a document which the caller may not plan or apply. Clusters that exist are judged by the
 * role in that cluster; everything else by the global role.
 * @throws Failure 403 naming the first such document, 422 when a file of somebody without a global role has problems.
 */
export function refuseForeignDocuments(
  { state }: Pick<Services, 'state'>,
  { may, by }: Asked,
  verb: 'plan' | 'apply',
  { text, file }: { readonly text: string; readonly file: string },
): void {
  // A policy binds everybody: whoever may make clusters may still not loosen what they must be like.
  if (verb === 'apply' && !may('apply', { kind: 'policy' })) {
    const [policy] = parseStream(text, { file }).policies;
    if (policy) throw forbidden(by, verb, `Policy/${policy.metadata.name}`, ['admin']);
  }
  const asked = { may, by };
  // Who may do everything with files needs no look at them: the engine says what is wrong with each.
  const isGlobal =
    verb === 'plan'
      ? may('plan', { kind: 'cluster' })
      : may('apply', { kind: 'cluster' }) && may('apply', { kind: 'provider' });
  if (isGlobal && may('apply', { kind: 'secret' })) return;
  const { documents, secrets, problems } = parseStream(text, { file });
  if (isGlobal) {
    const brought = secrets.map(({ name }) => name);
    for (const { document } of documents) refuseForeignSecrets({ state }, asked, verb, { document, brought });
    return;
  }
  const [first, ...others] = problems;
  if (first) throw new Failure(422, 'invalid', [first, ...others]);
  // A kind that is not known here is nobody's but an administrator's.
  if (documents.length + secrets.length !== splitDocuments(text).length)
    throw forbidden(by, verb, 'a document of this file', ['admin']);
  for (const { document } of documents) {
    const { name } = document.metadata;
    const isKnown = isCluster(document) && state.clusters.find(name) !== undefined;
    if (!isKnown || !may(verb, { kind: 'cluster', name, cluster: name }))
      throw forbidden(by, verb, `${document.kind}/${name}`, isKnown ? ['operator'] : ['admin', 'operator']);
    refuseForeignSecrets({ state }, asked, verb, { document, brought: [] });
  }
  const [secret] = secrets;
  if (secret) throw forbidden(by, verb, `Secret/${secret.name}`, ['admin', 'operator']);
}

interface Naming {
  readonly document: ClusterDocument | ProviderDocument;
  /** Names of secrets that come in the same file. */
  readonly brought: readonly string[];
}

/**
 * Secrets are everybody's, and naming one has the agent open it for what names it, already when that is planned. So only
 * those with the global right on secrets name new ones; others keep what the document named before.
 * @throws Failure 403 naming the first such secret
 */
function refuseForeignSecrets(
  { state }: Pick<Services, 'state'>,
  { may, by }: Asked,
  verb: 'plan' | 'apply',
  { document, brought }: Naming,
): void {
  if (may('apply', { kind: 'secret' })) return;
  const kept = keptDocument(state, document);
  const known = new Set([...brought, ...(kept === undefined ? [] : secretsNamedIn(kept))]);
  const foreign = secretsNamedIn(asJson(document)).find((name) => !known.has(name));
  if (foreign !== undefined) throw forbidden(by, verb, `Secret/${foreign}`, ['admin', 'operator']);
}

function keptDocument(state: Services['state'], document: Naming['document']): JsonObject | undefined {
  const { name } = document.metadata;
  if (!isCluster(document)) return state.providers.get(name)?.document;
  const record = state.clusters.find(name);
  return record && state.revisions.newest(record.uid)?.document;
}

const asJson = (document: Naming['document']): JsonObject =>
  JSON.parse(JSON.stringify(document)) as JsonObject;
