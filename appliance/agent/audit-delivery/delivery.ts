import { z } from 'zod';
import { Problem, reportOf, UserProblem } from '../../../provisioners/contract/problem.ts';
import type { Reach } from '../outgoing/address.ts';
import type { AgentOutgoing, AuditDelivered, AuditDelivery } from '../protocol/outgoing.ts';
import { open } from '../sealing.ts';
import { sendSyslog } from './syslog.ts';
import { postWebhook } from './webhook.ts';

/** Longest time a receiver has for one batch, milliseconds. */
const patience = 20_000;

/** What delivering needs. */
export interface DeliveryParts {
  /** The agent's age identity. */
  readonly identity: string;
  readonly reach: Reach;
}

/** The question that hands audit rows over. */
export function createAuditQuestions(parts: DeliveryParts): Pick<AgentOutgoing, 'audit.deliver'> {
  return { 'audit.deliver': (delivery) => deliver(parts, delivery) };
}

async function deliver({ identity, reach }: DeliveryParts, delivery: AuditDelivery): Promise<AuditDelivered> {
  try {
    const signal = AbortSignal.timeout(patience);
    if (delivery.receiver.type === 'syslog') await sendSyslog(delivery, reach, signal);
    else await postWebhook(delivery, await signingKey(identity, delivery), reach, signal);
    return { isDelivered: true };
  } catch (error) {
    // What is no problem of ours to explain is told without its text: it may repeat what was received.
    const problem = error instanceof Problem ? error.report : reportOf(new Error('not delivered'), 'audit');
    return { isDelivered: false, problem };
  }
}

async function signingKey(identity: string, { secret }: AuditDelivery): Promise<string> {
  const text = secret === undefined ? '{}' : await open(identity, secret, 'the secret of the webhook');
  const { hmac } = z.looseObject({ hmac: z.string().optional() }).parse(JSON.parse(text));
  if (hmac !== undefined && hmac !== '') return hmac;
  throw new UserProblem('AUDIT-003', 'The secret of the webhook has no key named hmac.', {
    remedy: 'Give it anew with `remuda secret set`, with the key hmac.',
  });
}
