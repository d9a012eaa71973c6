import type { HandOver } from '../api/types.ts';

const day = (instant: string): string => instant.slice(0, 10);

/** The certificates of the masters that end first, one a machine. */
function firstEnds({ certificates }: HandOver): string[] {
  const first = new Map<string, { readonly name: string; readonly notAfter: string }>();
  for (const { machine, name, notAfter } of certificates) {
    const known = first.get(machine);
    if (known === undefined || notAfter < known.notAfter) first.set(machine, { name, notAfter });
  }
  return [...first]
    .toSorted(([, one], [, other]) => one.notAfter.localeCompare(other.notAfter, 'en'))
    .map(([machine, { name, notAfter }]) => `- ${machine}: **${day(notAfter)}** (${name})`);
}

/** What nobody does from now on, and how it is done by hand. */
export function duties(given: HandOver): string {
  const { cluster, at, kubernetesVersion = '', kubeconfigEnds, endpoint, machines, masters } = given;
  const ends = firstEnds(given);
  const ssh = machines.map(({ name, address, port, user }) => {
    const isMaster = masters.includes(name) ? 'master' : 'worker';
    return `- ${name} (${isMaster}): \`ssh -i ssh/key -o UserKnownHostsFile=ssh/known_hosts -p ${port} ${user}@${address}\``;
  });
  return `# Cluster ${cluster}, handed over on ${day(at)}

Kubernetes ${kubernetesVersion}, API at https://${endpoint.host}:${endpoint.port}. It lives without Remuda: nothing on its machines asks for it.
haproxy and keepalived on the masters hold the address of the API; they stay.

Everything in this folder is as good as the cluster itself: keep it offline and in two places. \`kubeconfig\` is
system:masters, which no RBAC takes back; its certificate ends on ${day(kubeconfigEnds)}.

## What nobody does from now on

**Certificates.** Those that kubeadm made end, master by master, first on:

${ends.length === 0 ? '- not seen: `kubeadm certs check-expiration` on each master' : ends.join('\n')}

On each master, one after the other, before then: \`kubeadm certs renew all\`, then restart kube-apiserver,
kube-controller-manager, kube-scheduler and etcd (move their manifests out of /etc/kubernetes/manifests for 20 seconds and back).
The authorities in \`pki/\` end years later (\`openssl x509 -enddate -noout -in pki/ca.crt\`).

**Serving certificates of kubelets.** They ask for new ones by CertificateSigningRequests, and somebody must approve those:
\`kubectl get csr\`, then \`kubectl certificate approve NAME\`. Without it \`kubectl logs\` and \`kubectl exec\` fail one day.

**Backups of etcd.** None is made any more. On a master, as root (the pod of etcd holds etcdctl):
\`kubectl -n kube-system exec etcd-MASTER -- etcdctl --cacert /etc/kubernetes/pki/etcd/ca.crt --cert /etc/kubernetes/pki/etcd/server.crt --key /etc/kubernetes/pki/etcd/server.key snapshot save /var/lib/etcd/snapshot.db\`.
Secrets in it are encrypted with \`encryption-key\`.

**Health, upgrades, machines.** Nobody watches the cluster, replaces machines or brings new versions. \`kubeadm upgrade\` works as
its own manual says; images and packages are no longer brought by Remuda.

## The way in

${ssh.join('\n')}

Remuda's copy of these keys is deleted. Whoever holds Remuda's recovery key and an old copy of its state, or an old backup, could
open them there: change the SSH key on the machines if that worries you.

## The way back

\`remuda cluster adopt -f answers.yaml --master ADDRESS --ssh-key ssh/key\`
`;
}
