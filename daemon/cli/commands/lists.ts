import type { Command } from 'commander';
import type { z } from 'zod';
import {
  agentViewSchema,
  clusterDetailSchema,
  clusterViewSchema,
  leftoverSchema,
  machineViewSchema,
  operationDetailSchema,
  operationViewSchema,
  payloadSchema,
  providerViewSchema,
  secretViewSchema,
} from '../../api/types.ts';
import { certificateWarning } from '../certificates.ts';
import { cleanLine } from '../clean-text.ts';
import type { Client } from '../client.ts';
import { type Column, type OutputForm, printData, printList } from '../table.ts';
import { relativeTime, humaneDuration, humaneSize } from '../times.ts';
import { healthPaint } from './health.ts';
import { unfencedText } from './machine-fence.ts';
import { oneOf, outputOption } from './options.ts';
import type { Session } from './session.ts';
import type { Style } from '../style.ts';

/** One kind of thing that `get` lists. */
interface Listing<Item extends z.ZodType> {
  readonly item: Item;
  readonly columns: (style: Style) => readonly Column<z.output<Item>>[];
  readonly empty: string;
  /** How one is found by name in the list. */
  readonly nameOf: (item: z.output<Item>) => string;
  /** What is to be said of one below the table, if anything. */
  readonly noteOf?: (item: z.output<Item>) => string | undefined;
}

const listing = <Item extends z.ZodType>(of: Listing<Item>): Listing<Item> => of;

/** A machine's Node in a table: a machine of etcd alone is not to have one. */
export const nodeText = ({ node }: { readonly node: string }): string => (node === 'none' ? '-' : node);

const goodWords = new Set(['Ready', 'succeeded', 'connected', 'running']);
const badWords = new Set(['unfenced', 'Failed', 'failed', 'NotReady', 'broken', 'none']);
const coloured =
  (style: Style) =>
  (text: string): string => {
    if (goodWords.has(text)) return style.good(text);
    return badWords.has(text) ? style.bad(text) : text;
  };

const clusters = listing({
  item: clusterViewSchema,
  nameOf: (cluster) => cluster.name,
  noteOf: (cluster) => certificateWarning(cluster),
  empty: 'There are no clusters. Make one: remuda apply -f answers.yaml --wait',
  columns: (style) => [
    { title: 'NAME', cell: (cluster) => cluster.name },
    { title: 'PHASE', cell: (cluster) => cluster.phase, paint: coloured(style) },
    {
      title: 'HEALTH',
      cell: ({ health }) => health?.status ?? '-',
      paint: (text) => (text === '-' ? text : healthPaint(style)(text)),
    },
    { title: 'PROVIDER', cell: (cluster) => cluster.provider },
    { title: 'REVISION', cell: (cluster) => String(cluster.revision) },
    { title: 'CREATED', cell: (cluster) => relativeTime(cluster.createdAt) },
    {
      title: 'OPERATION',
      cell: ({ operation }) => (operation ? `${operation.kind} ${operation.state}` : ''),
    },
  ],
});

const operations = listing({
  item: operationViewSchema,
  nameOf: (operation) => operation.id,
  empty: 'There were no operations yet.',
  columns: (style) => [
    { title: 'ID', cell: (operation) => operation.id },
    { title: 'CLUSTER', cell: (operation) => operation.cluster.name },
    { title: 'KIND', cell: (operation) => operation.kind },
    { title: 'STATE', cell: (operation) => operation.state, paint: coloured(style) },
    { title: 'STEPS', cell: ({ steps }) => `${steps.ended}/${steps.total}` },
    { title: 'TOOK', cell: (operation) => humaneDuration(operation.duration) },
    { title: 'BEGUN', cell: (operation) => relativeTime(operation.startedAt ?? operation.createdAt) },
    { title: 'BY', cell: (operation) => operation.principal },
  ],
});

const machines = listing({
  item: machineViewSchema,
  nameOf: (machine) => machine.name,
  noteOf: (machine) => unfencedText(machine),
  empty: 'No machine was seen yet.',
  columns: (style) => [
    { title: 'CLUSTER', cell: (machine) => machine.cluster },
    { title: 'NAME', cell: (machine) => machine.name },
    { title: 'ROLE', cell: (machine) => machine.role },
    {
      title: 'STATE',
      cell: ({ state, departure }) => (departure === 'unfenced' ? departure : state),
      paint: coloured(style),
    },
    { title: 'NODE', cell: nodeText, paint: coloured(style) },
    { title: 'ADDRESS', cell: (machine) => machine.address ?? '' },
    { title: 'VERSION', cell: (machine) => machine.version ?? '' },
    { title: 'SEEN', cell: (machine) => relativeTime(machine.seenAt) },
  ],
});

const providers = listing({
  item: providerViewSchema,
  nameOf: (provider) => provider.name,
  empty: 'There are no providers. One comes with an answer file: remuda apply -f provider.yaml',
  columns: () => [
    { title: 'NAME', cell: (provider) => provider.name },
    { title: 'TYPE', cell: (provider) => provider.type },
    { title: 'SITE', cell: (provider) => provider.site },
    { title: 'CLUSTERS', cell: (provider) => provider.clusters.join(', ') },
    { title: 'CHANGED', cell: (provider) => relativeTime(provider.updatedAt) },
  ],
});

/** Secrets by name and key; there is no way to see a value. */
export const secrets = listing({
  item: secretViewSchema,
  nameOf: (secret) => secret.name,
  empty: 'There are no secrets. Add one: remuda secret set NAME --stdin KEY < value',
  columns: () => [
    { title: 'NAME', cell: (secret) => secret.name },
    { title: 'KEYS', cell: (secret) => secret.keys.join(', ') },
    { title: 'FOR', cell: (secret) => secret.destination ?? '' },
    { title: 'CHANGED', cell: (secret) => relativeTime(secret.updatedAt) },
    { title: 'BY', cell: (secret) => secret.principal },
  ],
});

/** Up to the first full stop, semicolon or colon that ends something; the dots of a version end nothing. */
const firstClause = (text: string): string => (text.split(/[;:.](?:\s|$)/, 1)[0] ?? '').trim();

/** What agents have on board. */
export const payloads = listing({
  item: payloadSchema,
  nameOf: (payload) => payload.name,
  empty: 'No payload is on board. Build one: remuda payload build',
  columns: () => [
    { title: 'NAME', cell: (payload) => payload.name },
    { title: 'KUBERNETES', cell: (payload) => payload.kubernetesVersion },
    { title: 'FLAVOUR', cell: (payload) => payload.flavour },
    { title: 'SIZE', cell: (payload) => humaneSize(payload.bytes) },
    // The first clause; the whole story is in -o yaml.
    { title: 'FROM', cell: (payload) => firstClause(payload.provenance) },
  ],
});

const agents = listing({
  item: agentViewSchema,
  nameOf: (agent) => agent.site,
  empty: 'No agent is enrolled. Make a token for one: remuda agent token SITE',
  columns: (style) => [
    { title: 'SITE', cell: (agent) => agent.site },
    { title: 'STATE', cell: (agent) => agent.state, paint: coloured(style) },
    { title: 'EPOCH', cell: (agent) => String(agent.epoch) },
    { title: 'RELEASE', cell: (agent) => agent.release ?? '' },
    { title: 'SEEN', cell: (agent) => (agent.lastSeen === undefined ? '' : relativeTime(agent.lastSeen)) },
  ],
});

/** What clusters that are gone have left behind. */
const leftovers = listing({
  item: leftoverSchema,
  nameOf: (leftover) => leftover.id,
  empty: 'No deleted cluster has left anything behind.',
  columns: (style) => [
    { title: 'CLUSTER', cell: (leftover) => leftover.cluster },
    { title: 'LIST', cell: ({ list }) => list, paint: (text) => (text === 'left' ? style.bad(text) : text) },
    { title: 'TYPE', cell: (leftover) => leftover.type },
    { title: 'NAME', cell: (leftover) => leftover.name },
    { title: 'WHY', cell: (leftover) => leftover.why },
    { title: 'PROVIDER', cell: (leftover) => leftover.provider },
    { title: 'DELETED', cell: (leftover) => relativeTime(leftover.at) },
    { title: 'BY', cell: (leftover) => leftover.principal },
  ],
});

const kinds = [
  'clusters',
  'machines',
  'providers',
  'operations',
  'secrets',
  'payloads',
  'agents',
  'leftovers',
] as const;

/** Singular and short forms people type. */
const kindOf = (word: string): string => kinds.find((kind) => kind === word || kind === `${word}s`) ?? word;

interface GetOptions {
  readonly output: OutputForm;
  readonly cluster?: string;
}

/** get. */
export function addGetCommand(program: Command, session: Session): void {
  program
    .command('get <kind> [name]')
    .description(`list ${kinds.join(', ')}`)
    .addOption(outputOption())
    .option('--cluster <name>', 'only those of one cluster (operations, machines, leftovers)')
    .action(async (word: string, name: string | undefined, options: GetOptions) => {
      const kind = oneOf(kindOf(word), kinds, 'kind');
      const client = await session.client();
      if (name !== undefined && options.output !== 'table' && (kind === 'clusters' || kind === 'operations'))
        return printOne(session, client, kind, name, options.output);
      return getKind(session, client, { kind, name, options });
    });
}

/** One cluster or operation, whole. YAML of a cluster is its document: it can be applied again. */
async function printOne(
  session: Session,
  client: Client,
  kind: 'clusters' | 'operations',
  name: string,
  form: 'json' | 'yaml',
): Promise<void> {
  const path = `/api/v1/${kind}/${encodeURIComponent(name)}`;
  if (kind === 'operations')
    return printData(
      session.printer,
      form,
      await client.call({ method: 'GET', path, answer: operationDetailSchema }),
    );
  const cluster = await client.call({ method: 'GET', path, answer: clusterDetailSchema });
  if (form === 'json') return printData(session.printer, form, cluster);
  return session.printer.answer(cluster.yaml.trimEnd());
}

interface Wanted {
  readonly kind: (typeof kinds)[number];
  readonly name: string | undefined;
  readonly options: GetOptions;
}

async function getKind(session: Session, client: Client, wanted: Wanted): Promise<void> {
  const { kind } = wanted;
  if (kind === 'clusters') return show(session, client, clusters, wanted);
  if (kind === 'operations') return show(session, client, operations, wanted);
  if (kind === 'machines') return show(session, client, machines, wanted);
  if (kind === 'providers') return show(session, client, providers, wanted);
  if (kind === 'secrets') return show(session, client, secrets, wanted);
  if (kind === 'payloads') return show(session, client, payloads, wanted);
  if (kind === 'leftovers') return show(session, client, leftovers, wanted);
  return show(session, client, agents, wanted);
}

/** Fetches and prints one kind. */
export async function show<Item extends z.ZodType>(
  session: Session,
  client: Client,
  of: Listing<Item>,
  { kind, name, options }: Wanted,
): Promise<void> {
  const query = kind === 'operations' ? { cluster: options.cluster } : {};
  const all = await client.list(`/api/v1/${kind}`, of.item, query);
  const items = all.filter((item) => {
    const { cluster } = item as { readonly cluster?: unknown };
    const isWhole = kind !== 'machines' && kind !== 'leftovers';
    const isInCluster = isWhole || options.cluster === undefined || cluster === options.cluster;
    return isInCluster && (name === undefined || of.nameOf(item) === name);
  });
  if (name !== undefined && items.length === 0) oneOf(name, all.map(of.nameOf), kind.slice(0, -1));
  const { printer } = session;
  printList(printer, options.output, items, of.columns(printer.out), of.empty);
  if (options.output !== 'table') return;
  for (const item of items) {
    const note = of.noteOf?.(item);
    if (note !== undefined) printer.note(printer.err.warn(cleanLine(note)));
  }
}
