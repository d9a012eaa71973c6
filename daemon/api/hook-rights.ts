import { canonicalJson, type Json, type JsonObject } from '../../provisioners/contract/json.ts';
import { isCluster } from '../spec/documents.ts';
import { hooksOf } from '../spec/hooks.ts';
import { parseStream } from '../spec/stream.ts';
import { forbidden } from './failure.ts';
import type { RouteRequest, Services } from './route.ts';

const asJson = (value: unknown): Json => JSON.parse(JSON.stringify(value)) as Json;

/** The hooks of a kept document, as they were kept. */
const keptHooks = (document: JsonObject | undefined): Json => {
  const spec = document?.['spec'];
  return spec !== null && typeof spec === 'object' && 'hooks' in spec ? (spec['hooks'] ?? []) : [];
};

/**
 * Hooks are commands that run as root on machines and as whom they like in a cluster: who may change clusters may not
 * thereby write them. A file whose hooks are as they were needs nothing; what is allowed leaves a row in the audit trail.
 * @throws Failure 403 naming the first cluster whose hooks the caller may not change
 */
export function requireHookRights(
  { state, audit }: Pick<Services, 'state' | 'audit'>,
  { may, by }: Pick<RouteRequest<unknown, unknown>, 'may' | 'by'>,
  { text, file }: { readonly text: string; readonly file: string },
): void {
  const changed = parseStream(text, { file }).documents.flatMap(({ document }) => {
    if (!isCluster(document)) return [];
    const { name } = document.metadata;
    const record = state.clusters.find(name);
    const before = keptHooks(record && state.revisions.newest(record.uid)?.document);
    const hooks = hooksOf(document);
    return canonicalJson(asJson(hooks)) === canonicalJson(before) ? [] : [{ name, hooks }];
  });
  for (const { name } of changed)
    if (!may('hook', { kind: 'cluster', name, cluster: name }))
      throw forbidden(by, 'add, change or remove hooks of', `Cluster/${name}`, ['admin']);
  for (const { name, hooks } of changed)
    audit.append({
      at: new Date().toISOString(),
      principal: by,
      verb: 'cluster.hook',
      object: `cluster/${name}`,
      outcome: 'allowed',
      detail: { hooks: hooks.map((hook) => hook.name) },
    });
}
