import { z } from 'zod';
import {
  groupFor,
  heldCredential,
  takeCredential,
  takeToken,
  viewCredential,
} from '../cluster-credentials.ts';
import { noSuch, unauthenticated } from '../failure.ts';
import { uidOf } from '../granting.ts';
import { kubeconfigOf, kubeconfigWithToken, serverAskedFor, versionAskedFor } from '../kubeconfig.ts';
import { defineRoute, type RouteRequest, type Services } from '../route.ts';
import { credentialSchema } from '../schemas/access.ts';
import {
  clusterCredentialSchema,
  issuedCredentialSchema,
  newCredentialRequestSchema,
} from '../schemas/credentials.ts';
import { credentialRequestSchema } from '../schemas/requests.ts';

type Asked = Pick<RouteRequest<unknown, unknown>, 'principal' | 'parameters' | 'may' | 'origin'>;

/** Signs a certificate for a key that stays with the caller, and notes that the credential was used. */
async function sign(
  services: Services,
  { principal, parameters }: Asked,
  body: z.output<typeof credentialRequestSchema>,
): Promise<z.input<typeof credentialSchema>> {
  const { engine, state } = services;
  if (!principal) throw unauthenticated();
  const name = parameters['cluster'] ?? '';
  const cluster = state.clusters.find(name);
  const held = cluster && heldCredential(services, cluster, principal.id);
  const credential = await engine.issueCredential({
    cluster: name,
    principal: principal.id,
    groups: [groupFor(principal, name)],
    request: body.request,
    seconds: body.seconds,
  });
  if (held) state.credentials.use(held.id, new Date().toISOString(), credential.notAfter);
  return { ...credential, kubernetesVersion: versionAskedFor(engine.getCluster(name).desired) };
}

/** A kubeconfig that renews itself. It holds no secret. */
function take(
  services: Services,
  { principal, parameters, may, origin }: Asked,
): z.input<typeof issuedCredentialSchema> {
  if (!principal) throw unauthenticated();
  const name = parameters['cluster'] ?? '';
  uidOf(services, name);
  const { desired } = services.engine.getCluster(name);
  const cluster = services.state.clusters.find(name);
  if (!cluster) throw noSuch('cluster', name, 'remuda get clusters shows what there is');
  const mayAdminister = may('administer', { kind: 'credential', cluster: name });
  const record = takeCredential(services, cluster, principal.id, mayAdminister);
  return {
    credential: viewCredential(record, Date.now()),
    kubeconfig: kubeconfigOf({
      cluster: name,
      server: serverAskedFor(desired),
      caCertificate: cluster.keys.public.caCertificate,
      kubernetesVersion: versionAskedFor(desired),
      remuda: origin,
    }),
  };
}

/** A token for programs, made inside the cluster and shown once. */
async function takeForProgram(
  services: Services,
  { principal, parameters }: Asked,
  days: number | undefined,
): Promise<z.input<typeof issuedCredentialSchema>> {
  if (!principal) throw unauthenticated();
  const name = parameters['cluster'] ?? '';
  const cluster = services.state.clusters.find(name);
  if (!cluster) throw noSuch('cluster', name, 'remuda get clusters shows what there is');
  const { record, token, server } = await takeToken(services, cluster, principal, days);
  const { caCertificate } = cluster.keys.public;
  return {
    credential: viewCredential(record, Date.now()),
    kubeconfig: kubeconfigWithToken({ cluster: name, server, caCertificate }, token),
    token,
  };
}

/** What was asked for, by its kind. */
async function make(
  services: Services,
  asked: Asked,
  body: z.output<typeof newCredentialRequestSchema>,
): Promise<z.input<typeof issuedCredentialSchema>> {
  return body.kind === 'token' ? takeForProgram(services, asked, body.days) : take(services, asked);
}

/** Ways into a cluster: one's own, and for its administrators everybody's. */
export const credentialRoutes = [
  defineRoute({
    id: 'credential.create',
    method: 'post',
    path: '/api/v1/clusters/{cluster}/credentials',
    summary:
      'With `kind`: a kubeconfig for the caller. With `request`: a client certificate of at most an hour for a key that stays with the caller.',
    access: { verb: 'issue', object: 'credential', cluster: 'cluster' },
    mutates: true,
    status: 201,
    body: z.union([newCredentialRequestSchema, credentialRequestSchema]),
    answer: z.union([issuedCredentialSchema, credentialSchema]),
    handle: async (services, { body, ...asked }) => ({
      body: 'kind' in body ? await make(services, asked, body) : await sign(services, asked, body),
    }),
  }),
  defineRoute({
    id: 'credential.list',
    method: 'get',
    path: '/api/v1/clusters/{cluster}/credentials',
    summary: "One's own credentials for this cluster; for its administrators everybody's.",
    access: { verb: 'read', object: 'credential', cluster: 'cluster' },
    mutates: false,
    status: 200,
    answer: z.object({ items: z.array(clusterCredentialSchema).readonly() }),
    handle(services, { parameters, may, by }) {
      const cluster = parameters['cluster'] ?? '';
      const uid = uidOf(services, cluster);
      const isAdministrator = may('administer', { kind: 'credential', cluster });
      const records = services.state.credentials.list(uid, isAdministrator ? undefined : by);
      return { body: { items: records.map((record) => viewCredential(record, Date.now())) } };
    },
  }),
  defineRoute({
    id: 'credential.revoke',
    method: 'delete',
    path: '/api/v1/clusters/{cluster}/credentials/{credential}',
    summary:
      'Revokes a credential: no certificate is signed for it any more. `validUntil` says until when the last one is good.',
    access: { verb: 'issue', object: 'credential', cluster: 'cluster' },
    mutates: true,
    status: 200,
    answer: clusterCredentialSchema,
    async handle(services, { parameters, may, by }) {
      const cluster = parameters['cluster'] ?? '';
      const id = parameters['credential'] ?? '';
      const uid = uidOf(services, cluster);
      const record = services.state.credentials.get(id);
      const isTheirs = record?.principal === by || may('administer', { kind: 'credential', cluster });
      if (record?.cluster !== uid || !isTheirs)
        throw noSuch('credential', id, 'Your own are in the list of this cluster.');
      // A token lives in the cluster: it is revoked when it is gone there, and not before.
      if (record.kind === 'token' && record.revokedAt === undefined)
        await services.engine.credentials.revokeToken(cluster, id);
      services.state.credentials.revoke(id, new Date().toISOString(), by);
      return { body: viewCredential(services.state.credentials.get(id) ?? record, Date.now()) };
    },
  }),
];
