import type { HookPoint } from '../../provisioners/contract/hooks.ts';
import type { Duration } from '../../provisioners/contract/time.ts';
import type { ClusterDocument } from './documents.ts';
import { parseDuration } from './schema/quantity-syntax.ts';

/** A hook as a document says it. */
export type HookDocument = NonNullable<ClusterDocument['spec']['hooks']>[number];

/** The hooks of a cluster, in the order in which they stand. */
export const hooksOf = ({ spec }: Pick<ClusterDocument, 'spec'>): readonly HookDocument[] => spec.hooks ?? [];

/** Points that are about one machine; at the others a hook runs once in an operation. */
export const machinePoints: ReadonlySet<HookPoint> = new Set(['beforeDrain', 'afterDrain', 'afterBoot']);

/** How long a hook may take where it does not say. */
const usual = { script: '5m', webhook: '20s' };

/** Milliseconds a hook may take. */
export const hookTimeout = ({ timeout, run }: Pick<HookDocument, 'timeout' | 'run'>): Duration =>
  parseDuration(timeout ?? (run.webhook === undefined ? usual.script : usual.webhook));

/** The server a webhook's secret is given to: what it is bound to. */
export const serverOfWebhook = (url: string): string => (URL.canParse(url) ? new URL(url).host : url);

/** The secret that the input of a step gives to a webhook, and the server; undefined where it names none. */
export function secretOfHook(
  input: unknown,
): { readonly name: string; readonly destination: string } | undefined {
  if (input === null || typeof input !== 'object' || !('occasion' in input)) return undefined;
  const { url, credentials } = input as { url?: unknown; credentials?: { secretRef?: unknown } };
  const name = credentials?.secretRef;
  if (typeof url !== 'string' || typeof name !== 'string') return undefined;
  return { name, destination: serverOfWebhook(url) };
}

/** Every secret that hooks of a document give away, and to which server. */
export const secretsOfHooks = (
  hooks: readonly Pick<HookDocument, 'run'>[],
): { readonly name: string; readonly destination: string }[] =>
  hooks.flatMap(({ run: { webhook } }) => {
    const name = webhook?.credentials.secretRef;
    return webhook === undefined || name === undefined
      ? []
      : [{ name, destination: serverOfWebhook(webhook.url) }];
  });
