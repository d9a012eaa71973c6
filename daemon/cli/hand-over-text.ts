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

/** How certificates are renewed by hand; kubeadm leaves those out that belong to etcd apart, unless its configuration is given. */
const renewalOf = ({ etcd }: HandOver): string =>
  etcd === undefined
    ? `On each master, one after the other, before then: \`kubeadm certs renew all\`, then restart kube-apiserver,
kube-controller-manager, kube-scheduler and etcd (move their manifests out of /etc/kubernetes/manifests for 20 seconds and back).`
    : `On each master and each machine of etcd (${etcd.join(', ')}), one after the other, before then:
\`kubeadm certs renew all --config /etc/kubernetes/remuda/etcd.yaml\`, then restart what runs there of kube-apiserver,
kube-controller-manager, kube-scheduler and etcd (move their manifests out of /etc/kubernetes/manifests for 20 seconds and back).`;

/** How etcd is backed up by hand: from its pod, or where it has no pod in the API, from its container. */
function backupOf({ etcd }: HandOver): string {
  const pki = '/etc/kubernetes/pki/etcd';
  const save = `etcdctl --cacert ${pki}/ca.crt --cert ${pki}/server.crt --key ${pki}/server.key snapshot save /var/lib/etcd/snapshot.db`;
  if (etcd === undefined)
    return `On a master, as root (the pod of etcd holds etcdctl):\n\`kubectl -n kube-system exec etcd-MASTER -- ${save}\`.`;
  return `On a machine of etcd, as root (its container holds etcdctl):\n\`crictl exec $(crictl ps --name etcd -q) ${save}\`.`;
}

/** What nobody does from now on, and how it is done by hand. */
export function duties(given: HandOver): string {
  const { cluster, at, kubernetesVersion = '', kubeconfigEnds, endpoint, machines, masters } = given;
  const ends = firstEnds(given);
  const ssh = machines.map(({ name, address, port, user }) => {
    const others = given.etcd?.includes(name) === true ? 'etcd' : 'worker';
    return `- ${name} (${masters.includes(name) ? 'master' : others}): \`ssh -i ssh/key -o UserKnownHostsFile=ssh/known_hosts -p ${port} ${user}@${address}\``;
  });
  return `# Cluster ${cluster}, handed over on ${day(at)}

Kubernetes ${kubernetesVersion}, API at https://${endpoint.host}:${endpoint.port}. It lives without Remuda: nothing on its machines asks for it.
haproxy and keepalived on the masters hold the address of the API; they stay.

Everything in this folder is as good as the cluster itself: keep it offline and in two places. \`kubeconfig\` is
system:masters, which no RBAC takes back; its certificate ends on ${day(kubeconfigEnds)}.

## What nobody does from now on

**Certificates.** Those that kubeadm made end, machine by machine, first on:

${ends.length === 0 ? '- not seen: `kubeadm certs check-expiration` on each machine of the control plane' : ends.join('\n')}

${renewalOf(given)}
The authorities in \`pki/\` end years later (\`openssl x509 -enddate -noout -in pki/ca.crt\`).

**Serving certificates of kubelets.** They ask for new ones by CertificateSigningRequests, and somebody must approve those:
\`kubectl get csr\`, then \`kubectl certificate approve NAME\`. Without it \`kubectl logs\` and \`kubectl exec\` fail one day.

**Backups of etcd.** None is made any more. ${backupOf(given)}
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
