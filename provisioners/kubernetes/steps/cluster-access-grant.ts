import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { ControlPlaneAccess } from '../../contract/ports/etcd.ts';
import type { KubernetesObject } from '../../contract/ports/kubernetes.ts';
import { defineStep, type StepContext } from '../../contract/step.ts';
import { minutes } from '../../contract/time.ts';
import { accessSchema, type NoFacts } from '../cluster-settings.ts';
import { quick } from '../limits.ts';
import { accessMark, clusterMark, readMarks, setMark } from '../marks.ts';

const inputSchema = z.strictObject({ access: accessSchema });

/** People get certificates of this group for an hour at most; who may have one is the daemon's to say (DESIGN §6). */
const adminGroup = 'remuda:cluster-admins';

/** Those who may look, and those who were let in; `view` shows no secrets. More is given to them inside the cluster. */
const lookingGroups = ['remuda:viewers', 'remuda:users'];

const bindingOf = (group: string, role: string): KubernetesObject => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRoleBinding',
  metadata: { name: group, labels: { 'app.kubernetes.io/managed-by': 'remuda' } },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
  subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: group }],
});

const bindings: readonly KubernetesObject[] = [
  bindingOf(adminGroup, 'cluster-admin'),
  ...lookingGroups.map((group) => bindingOf(group, 'view')),
];

/** Names of what people's rights hang on. */
export const peopleBindings: readonly string[] = bindings.map(({ metadata }) => metadata.name);

/** The bindings of this release: the planner plans the grant whenever the cluster's mark is another. */
export const accessDigest = `sha256:${createHash('sha256').update(JSON.stringify(bindings)).digest('hex')}`;

/** A token lives for a day, kubeadm's own habit; one with less than an hour left is renewed before machines join. */
const tokenLife = minutes(24 * 60);
const tokenReserve = minutes(60);

const encode = (text: string): string => Buffer.from(text).toString('base64');

/** The bootstrap token as a Secret: https://kubernetes.io/docs/reference/access-authn-authz/bootstrap-tokens/ */
function tokenSecret(token: string, expiration: string): KubernetesObject {
  const [id = '', secret = ''] = token.split('.');
  const data = {
    'token-id': id,
    'token-secret': secret,
    expiration,
    'usage-bootstrap-authentication': 'true',
    'usage-bootstrap-signing': 'true',
    'auth-extra-groups': 'system:bootstrappers:kubeadm:default-node-token',
    description: 'Remuda: joins of machines',
  };
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'bootstrap.kubernetes.io/token',
    metadata: { name: `bootstrap-token-${id}`, namespace: 'kube-system' },
    data: Object.fromEntries(Object.entries(data).map(([key, value]) => [key, encode(value)])),
  };
}

const secretSchema = z.object({ data: z.record(z.string(), z.string()).optional() });

/** Whether the token will still be good for a whole round of joins. Kubernetes removes expired ones itself. */
async function isTokenGood(context: StepContext, access: ControlPlaneAccess): Promise<boolean> {
  const { bootstrapToken } = await context.secrets.clusterKeys();
  const name = `bootstrap-token-${bootstrapToken.split('.')[0]}`;
  const secret = await context.kubernetes.get(access, {
    apiVersion: 'v1',
    kind: 'Secret',
    namespace: 'kube-system',
    name,
  });
  if (secret === undefined) return false;
  const expiration = secretSchema.parse(secret).data?.['expiration'];
  if (expiration === undefined) return true;
  const end = Date.parse(Buffer.from(expiration, 'base64').toString());
  return end - Date.parse(context.now()) > tokenReserve;
}

/** Who may administer the cluster, with what machines join it, and whose it is. */
export const clusterAccessGrant = defineStep<z.infer<typeof inputSchema>, NoFacts>({
  kind: 'cluster-access.grant',
  version: 1,
  nature: 'ensure',
  phase: 'control plane',
  destructive: false,
  title: () => 'Grant access to the cluster',
  schema: inputSchema,
  limits: quick,
  async observe(context, { access }) {
    const [bound, marks, isGood] = await Promise.all([
      Promise.all(
        bindings.map(({ apiVersion, kind, metadata: { name } }) =>
          context.kubernetes.get(access, { apiVersion, kind, name }),
        ),
      ),
      readMarks(context, access),
      isTokenGood(context, access),
    ]);
    const free = bindings.find((_, index) => bound[index] === undefined);
    if (free !== undefined) return { state: 'todo', why: `nobody is bound to ${free.metadata.name} yet` };
    if (marks[accessMark] !== accessDigest)
      return { state: 'todo', why: 'the rights of people in the cluster are those of another release' };
    if (marks[clusterMark] !== context.cluster.uid)
      return { state: 'todo', why: 'the cluster does not bear its mark yet' };
    if (!isGood) return { state: 'todo', why: 'the token with which machines join has run out' };
    return { state: 'done', facts: {} };
  },
  async apply(context, { access }) {
    const { bootstrapToken } = await context.secrets.clusterKeys();
    const expiration = new Date(Date.parse(context.now()) + tokenLife).toISOString();
    await context.kubernetes.apply(access, [...bindings, tokenSecret(bootstrapToken, expiration)]);
    await setMark(context, access, accessMark, accessDigest);
    await setMark(context, access, clusterMark, context.cluster.uid);
  },
});
