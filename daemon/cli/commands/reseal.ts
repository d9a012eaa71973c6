import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import type { Command } from 'commander';
import { resealAnswerSchema, type SealedStore, sealedStoreSchema } from '../../api/types.ts';
import { CommandFailure, exitCode, usageFailure } from '../exit.ts';
import type { RecoveryKey } from '../recovery-key.ts';
import { collect } from './options.ts';
import type { Session } from './session.ts';

interface ResealOptions {
  readonly recoveryKeyFile?: string;
  readonly recipient?: readonly string[];
}

/** Items and characters of sealed text in one request: well below what the server takes. */
const batchItems = 500;
const batchLength = 4 * 1024 * 1024;

type SealedItem = SealedStore['items'][number];

/** agent reseal. */
export function addResealCommand(agent: Command, session: Session): void {
  agent
    .command('reseal <site>')
    .description(
      'after an agent was replaced: open the secrets with the recovery key, here, and seal them to the new agent',
    )
    .option('--recovery-key-file <path>', 'the recovery key; without it, it is read from standard input')
    .option(
      '--recipient <age1…>',
      'seal to this agent and to no other: an agent logs its recipient as it starts; repeat it for other sites',
      collect,
    )
    .action((site: string, options: ResealOptions) => reseal(session, site, options));
}

async function reseal(session: Session, site: string, options: ResealOptions): Promise<void> {
  const keyText = await readKey(session, options.recoveryKeyFile);
  const { RecoveryKey } = await import('../recovery-key.ts');
  const key = await RecoveryKey.read(keyText);
  const client = await session.client();
  const path = `/api/v1/agents/${encodeURIComponent(site)}/sealed`;
  const store = await client.call({ method: 'GET', path, answer: sealedStoreSchema });
  checkParties(store, key, options.recipient);
  const { opened, shut } = await openAll(store.items, key);
  const { sealTo } = await import('../../api/offline-sealing.ts');
  let resealed = 0;
  const changedSince: string[] = [];
  const items = await Promise.all(
    opened.map(async ({ item: { kind, name, digest, recipients }, plain }) => {
      const sealed = await sealTo([...new Set([...recipients, key.recipient])], plain);
      return { kind, name, digest, sealed };
    }),
  );
  for (const batch of batchesOf(items)) {
    const body = { items: batch };
    const answer = await client.call({ method: 'PUT', path, body, answer: resealAnswerSchema });
    resealed += answer.resealed;
    changedSince.push(...answer.changedSince);
  }
  session.printer.answer(summaryOf(store, opened.length, resealed));
  for (const name of changedSince)
    session.printer.note(`${name} was given anew meanwhile and needs nothing more.`);
  if (shut.length > 0) throw unopened(shut);
}

/** The key never comes by argument: those are seen by every user of the machine. */
async function readKey(session: Session, file: string | undefined): Promise<string> {
  if (file === undefined) {
    const { input } = session.printer.terminal;
    if (input.isTTY === true)
      throw usageFailure(
        'CLI-026',
        'a recovery key typed here would be seen',
        'Use --recovery-key-file, or pipe it in: remuda agent reseal SITE < recovery-key',
      );
    return text(input);
  }
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw usageFailure(
      'CLI-027',
      `the file with the recovery key cannot be read (${code ?? 'unknown reason'})`,
      'Give the path of a readable file.',
    );
  }
}

/**
 * A wrong key would open nothing, and a wrong agent would be handed everything: whoever knows the agents need not take
 * the server's word for them.
 */
function checkParties(store: SealedStore, key: RecoveryKey, known: readonly string[] | undefined): void {
  if (store.recovery !== key.recipient)
    throw usageFailure(
      'CLI-028',
      `this recovery key (${key.recipient}) is not the one of this server (${store.recovery})`,
      'Give the key that this server wrote at its first start.',
    );
  if (known === undefined) return;
  const asked = [store.agent, ...store.items.flatMap(({ recipients }) => recipients)];
  const stranger = asked.find((recipient) => !known.includes(recipient));
  if (stranger === undefined) return;
  throw usageFailure(
    'CLI-029',
    `the server would have it sealed to ${stranger}${stranger === store.agent ? `, the agent of site ${store.site}` : ''}, which you did not name; nothing was sealed`,
    'Find out who enrolled that agent. To refuse it: remuda agent token SITE --replace',
  );
}

async function openAll(
  items: readonly SealedItem[],
  key: RecoveryKey,
): Promise<{
  readonly opened: readonly { readonly item: SealedItem; readonly plain: string }[];
  readonly shut: readonly SealedItem[];
}> {
  const opened: { readonly item: SealedItem; readonly plain: string }[] = [];
  const shut: SealedItem[] = [];
  for (const item of items) {
    const plain = await key.open(item.sealed);
    if (plain === undefined) shut.push(item);
    else opened.push({ item, plain });
  }
  return { opened, shut };
}

/** As few requests as the server's limit allows; one alone may always be as long as it is. */
function batchesOf<Item extends { readonly sealed: string }>(items: readonly Item[]): readonly Item[][] {
  const batches: Item[][] = [];
  let size = 0;
  for (const item of items) {
    const last = batches.at(-1);
    size += item.sealed.length;
    if (last !== undefined && last.length < batchItems && size <= batchLength) last.push(item);
    else {
      batches.push([item]);
      size = item.sealed.length;
    }
  }
  return batches;
}

function summaryOf(store: SealedStore, opened: number, resealed: number): string {
  if (opened === 0) return `There is nothing to seal for the agent of site ${store.site}.`;
  const secrets = store.items.filter(({ kind }) => kind === 'secret').length;
  const clusters = store.items.length - secrets;
  const what = [
    ...(secrets > 0 ? [counted(secrets, 'secret')] : []),
    ...(clusters > 0 ? [`the keys of ${counted(clusters, 'cluster')}`] : []),
  ].join(' and ');
  const part = resealed === store.items.length ? '' : ` (${resealed} of ${store.items.length} now)`;
  return `Sealed to the agent of site ${store.site} (${store.agent}) and the recovery key: ${what}${part}.`;
}

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

const unopened = (shut: readonly SealedItem[]): CommandFailure =>
  new CommandFailure(
    exitCode.failed,
    shut.map(({ kind, name }) => ({
      kind: 'blocked' as const,
      code: 'CLI-030',
      summary: `the recovery key does not open ${kind === 'secret' ? `the secret ${name}` : `the keys of cluster ${name}`}`,
      remedy:
        kind === 'secret'
          ? `Give it again: remuda secret set ${name}`
          : 'It was changed on the disk of the server: bring the state back from a backup.',
    })),
  );
