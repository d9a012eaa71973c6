import { z } from 'zod';
import { Problem, reportOf, UserProblem } from '../../../provisioners/contract/problem.ts';
import type { Reach } from '../outgoing/address.ts';
import { sendWebhook } from '../outgoing/webhook.ts';
import type { AgentOutgoing, AlertDelivery, Delivered } from '../protocol/outgoing.ts';
import { open } from '../sealing.ts';

/** Longest time a receiver has for one batch, milliseconds. */
const patience = 20_000;

/** The question that hands alerts over. `identity`: the agent's age identity. */
export function createAlertQuestions(parts: {
  readonly identity: string;
  readonly reach: Reach;
}): Pick<AgentOutgoing, 'alert.deliver'> {
  return { 'alert.deliver': (delivery) => deliver(parts.identity, parts.reach, delivery) };
}

async function deliver(identity: string, reach: Reach, delivery: AlertDelivery): Promise<Delivered> {
  const { server, authority, key: id, body, secret } = delivery;
  try {
    await sendWebhook(
      {
        server,
        ...(authority === undefined ? {} : { authority }),
        id,
        body: JSON.stringify(body),
        signingKey: await signingKey(identity, secret),
      },
      { notAnAddress: 'ALERT-001', notTaken: 'ALERT-002' },
      reach,
      AbortSignal.timeout(patience),
    );
    return { isDelivered: true };
  } catch (error) {
    // What is no problem of ours to explain is told without its text: it may repeat what was received.
    const problem = error instanceof Problem ? error.report : reportOf(new Error('not delivered'), 'alert');
    return { isDelivered: false, problem };
  }
}

async function signingKey(identity: string, secret: string): Promise<string> {
  const text = await open(identity, secret, 'the secret of the webhook');
  const { hmac } = z.looseObject({ hmac: z.string().optional() }).parse(JSON.parse(text));
  if (hmac !== undefined && hmac !== '') return hmac;
  throw new UserProblem('ALERT-003', 'The secret of the webhook has no key named hmac.', {
    remedy: 'Give it anew with `remuda secret set`, with the key hmac.',
  });
}
