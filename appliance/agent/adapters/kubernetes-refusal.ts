import { z } from 'zod';
import { Blocked, Problem, Transient } from '../../../provisioners/contract/problem.ts';
import type { Reply } from '../tunnel.ts';

/** What a server says when it does not do what it was asked to. */
const statusSchema = z.looseObject({
  message: z.string().optional(),
  details: z
    .looseObject({
      causes: z
        .array(z.looseObject({ reason: z.string().optional(), message: z.string().optional() }))
        .optional(),
    })
    .optional(),
});
export type Status = z.infer<typeof statusSchema>;

/** The Status object in a reply; empty when it is none. */
export function statusOf(reply: Reply): Status {
  try {
    return statusSchema.parse(JSON.parse(reply.text));
  } catch {
    // A proxy's page or a cut answer: its text says what there is to say.
    return {};
  }
}

/** What a refusal means: later, somebody, or our own mistake. */
export function refused(reply: Reply, what: string): Problem {
  const said = statusOf(reply).message ?? reply.text.trim().slice(0, 500);
  const summary = `The Kubernetes API answered ${reply.status} to ${what}: ${said}`;
  // 404: a namespace or kind that is about to be; 409: somebody else was quicker; 429 and 5xx: later.
  if (reply.status >= 500 || [404, 408, 409, 429].includes(reply.status))
    return new Transient('KUBE-102', summary);
  if (reply.status === 401 || reply.status === 403)
    return new Blocked('KUBE-103', summary, {
      remedy: 'Look whether an admission policy of the cluster forbids it, and whether the clocks agree.',
    });
  return new Problem('fault', 'KUBE-104', summary);
}
