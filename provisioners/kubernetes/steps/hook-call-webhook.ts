import { z } from 'zod';
import { hookShape } from '../../contract/hooks.ts';
import { defineStep } from '../../contract/step.ts';
import type { NoFacts } from '../cluster-settings.ts';
import { deliveryId, pointWords } from '../hook-occasion.ts';
import { hookCall } from '../limits.ts';

const inputSchema = z.strictObject({
  ...hookShape,
  url: z.string(),
  /** PEM of the only authority that is believed. */
  authority: z.string().exactOptional(),
  /** Its key `hmac` signs the message. */
  credentials: z.strictObject({ secretRef: z.string() }),
});

const serverOf = (url: string): string => (URL.canParse(url) ? new URL(url).host : 'its server');

/**
 * A signed message to a server of the user's. An act that nobody can observe: it is handed over at least once, always
 * under the same id, by which a receiver knows one that it has already.
 */
export const hookCallWebhook = defineStep<z.infer<typeof inputSchema>, NoFacts>({
  kind: 'hook.call-webhook',
  version: 1,
  nature: 'act',
  phase: 'removal',
  destructive: false,
  title: ({ occasion, url }) => `Call the hook ${occasion.hook} at ${serverOf(url)}, ${pointWords(occasion)}`,
  schema: inputSchema,
  limits: hookCall,
  async observe(_context, { occasion }) {
    return { state: 'todo', why: `${occasion.hook} was not called yet` };
  },
  async apply(context, { occasion, url, authority, credentials, timeout }) {
    const { cluster, operation } = context;
    const { hook, at, reason, machine } = occasion;
    const data = {
      hook,
      at,
      cluster,
      operation: { id: operation, kind: reason },
      ...(machine === undefined ? {} : { machine }),
    };
    await context.hooks.send({
      url,
      ...(authority === undefined ? {} : { authority }),
      id: `hook_${deliveryId(context)}`,
      body: JSON.stringify({ type: `hook.${at}`, timestamp: context.now(), data }),
      signingKey: await context.secrets.value(credentials.secretRef, 'hmac'),
      timeout,
    });
  },
});
