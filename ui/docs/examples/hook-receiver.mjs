// A receiver of Remuda's hooks, for Node 20 or later: everything but the certificate.
import { createHmac, timingSafeEqual } from 'node:crypto';

/** Seconds that a message may be old, or early: clocks differ, and nobody can send an old one again. */
const tolerance = 300;

/**
 * Whether a message is Remuda's: signed with the key that both know, and fresh. `body` is the text as it came, before
 * anybody parsed it.
 */
export function isFromRemuda(headers, body, key) {
  const id = headers['webhook-id'] ?? '';
  const timestamp = headers['webhook-timestamp'] ?? '';
  const age = Math.abs(Date.now() / 1000 - Number(timestamp));
  if (!(age <= tolerance)) return false;
  const secret = key.startsWith('whsec_') ? Buffer.from(key.slice(6), 'base64') : key;
  const wanted = createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`).digest();
  return (headers['webhook-signature'] ?? '').split(' ').some((signature) => {
    const [version, text = ''] = signature.split(',');
    const given = Buffer.from(text, 'base64');
    return version === 'v1' && given.length === wanted.length && timingSafeEqual(given, wanted);
  });
}

const seen = new Set();

/** Answers one request: 2xx says that the message was taken, and its id that it was there before. */
export function receive(headers, body, key, act) {
  if (!isFromRemuda(headers, body, key)) return 401;
  const id = headers['webhook-id'];
  if (!seen.has(id)) act(JSON.parse(body));
  seen.add(id);
  return 204;
}
