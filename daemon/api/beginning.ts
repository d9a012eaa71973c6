import type { Reply, RouteRequest } from './route.ts';

type Asked = Pick<RouteRequest<never, never>, 'parameters' | 'by' | 'idempotencyKey'>;

/** The cluster of the path, and who asks: what the engine is told beside the body. */
export const planning = ({
  parameters,
  by,
}: Asked): { readonly cluster: string; readonly principal: string } => ({
  cluster: parameters['cluster'] ?? '',
  principal: by,
});

/** Who asks, and the key by which the engine knows a repeat of the same request. */
export const starting = ({
  by,
  idempotencyKey,
}: Asked): { readonly principal: string; readonly idempotencyKey?: string } => ({
  principal: by,
  ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
});

/** The answer to a request that begins an operation: 202 and where to find it, or 200 when there was nothing to do. */
export function begun<Answer extends { readonly operation?: { readonly id: string } | undefined }>(
  answer: Answer,
): Reply<Answer> {
  if (answer.operation === undefined) return { body: answer, status: 200 };
  return { body: answer, location: `/api/v1/operations/${answer.operation.id}` };
}
