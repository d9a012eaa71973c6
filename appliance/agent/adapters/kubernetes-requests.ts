import { z } from 'zod';
import type { ControlPlaneAccess } from '../../../provisioners/contract/ports/etcd.ts';
import type { ObjectReference, RequestDecision } from '../../../provisioners/contract/ports/kubernetes.ts';
import type { Instant } from '../../../provisioners/contract/time.ts';
import type { Api } from './kubernetes-api.ts';
import { objectPath } from './kubernetes-paths.ts';
import { refused } from './kubernetes-refusal.ts';

const tokenSchema = z.object({ status: z.object({ token: z.string(), expirationTimestamp: z.string() }) });
const statusSchema = z.looseObject({ conditions: z.array(z.unknown()).default([]) });

/** Decides on a CertificateSigningRequest through its own subresource, unless it is decided or gone. */
export async function decide(
  api: Api,
  access: ControlPlaneAccess,
  request: string,
  decision: RequestDecision,
): Promise<void> {
  const path = `/apis/certificates.k8s.io/v1/certificatesigningrequests/${encodeURIComponent(request)}`;
  const found = api.json(await api.ask(access, { method: 'GET', path }));
  if (found === undefined) return;
  const status = statusSchema.parse(found['status'] ?? {});
  if (status.conditions.length > 0) return;
  // With its resourceVersion: whoever changed it meanwhile makes this one a conflict, and it is looked at again.
  const body = JSON.stringify({
    ...found,
    status: { ...status, conditions: [{ ...decision, status: 'True' }] },
  });
  const reply = await api.ask(access, { method: 'PUT', path: `${path}/approval`, body });
  if (reply.status !== 200 && reply.status !== 404) throw refused(reply, `the decision on ${request}`);
}

/** A token of a service account for so many seconds; the server may give fewer. */
export async function requestToken(
  api: Api,
  access: ControlPlaneAccess,
  { namespace, name }: { readonly namespace: string; readonly name: string },
  seconds: number,
): Promise<{ readonly token: string; readonly expiresAt: Instant }> {
  const reply = await api.ask(access, {
    method: 'POST',
    path: `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`,
    body: JSON.stringify({
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: { audiences: [], expirationSeconds: seconds },
    }),
  });
  if (reply.status !== 200 && reply.status !== 201) throw refused(reply, `a token of ${name}`);
  const { status } = tokenSchema.parse(JSON.parse(reply.text));
  return { token: status.token, expiresAt: status.expirationTimestamp };
}

/** Marks the template of a workload's pods, as `kubectl rollout restart` does; by another manager than what made it. */
export async function markTemplate(
  api: Api,
  access: ControlPlaneAccess,
  workload: ObjectReference,
  { key, value }: { readonly key: string; readonly value: string },
): Promise<void> {
  const path = objectPath(await api.resource(access, workload), workload);
  const reply = await api.ask(access, {
    method: 'PATCH',
    path: `${path}?fieldManager=remuda-restart`,
    contentType: 'application/merge-patch+json',
    body: JSON.stringify({ spec: { template: { metadata: { annotations: { [key]: value } } } } }),
  });
  if (reply.status !== 200 && reply.status !== 404)
    throw refused(reply, `the restart of ${workload.kind} ${workload.name}`);
}
