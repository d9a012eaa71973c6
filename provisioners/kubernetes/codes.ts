import type { ProblemCatalogue } from '../contract/problem.ts';

/** What steps that make a cluster may find. Stable; none is ever given a new meaning. */
export const kubernetesCodes: ProblemCatalogue = {
  'KUBE-001': {
    title: 'Unknown version of Kubernetes',
    explanation: "The version's minor has no row in the version table of this release.",
    remedy: 'Choose one of the minors that the message lists.',
  },
  'KUBEADM-010': {
    title: "kubeadm's own configuration is gone",
    explanation: 'The ConfigMap kube-system/kubeadm-config says what every machine that joins is to run.',
    remedy: 'Put it back from a backup of etcd, then resume.',
  },
  'NODE-001': {
    title: 'The Node is not there yet',
    explanation: 'The kubelet registers its Node some seconds after it joined.',
    remedy: 'Nothing is to be done: it is tried again. If it stays so, read the log of the kubelet there.',
  },
  'NODE-002': {
    title: 'A Node that changes all the time',
    explanation:
      'A cordon is set or released only if nobody else changed the Node since it was read; somebody always did.',
    remedy: 'Nothing is to be done: it is tried again. If it stays so, see what writes to that Node.',
  },
  'DELETE-001': {
    title: 'Another cluster answers',
    explanation:
      'Before anything is deleted through the API of a cluster, its mark (ConfigMap kube-system/remuda) is looked at. What answers now is marked as another one.',
    remedy: 'Find out who answers at the addresses of its masters. Nothing was deleted there.',
  },
  'DRAIN-001': {
    title: 'A pod that a person must decide about',
    explanation:
      'The pod has no controller that would make it again, or keeps data in an emptyDir volume; either is lost when it goes. Nothing was moved.',
    remedy: 'Move or delete the pods that the message names, or allow it in spec.maintenance.drain.',
  },
  'DRAIN-002': {
    title: 'A disruption budget holds pods',
    explanation:
      'The eviction API refused some pods for the sake of a PodDisruptionBudget; the others were moved meanwhile.',
    remedy:
      'Scale the workload up or mend its unready pods, and the drain goes on by itself; or write skip or force in spec.maintenance.drain.whenBlocked.',
  },
  'ETCD-001': {
    title: 'A member that can never start',
    explanation:
      'With two members both are needed for a quorum. The second was added and its machine holds nothing to start it from.',
    remedy:
      'Delete the cluster and make it again; a cluster that begins with three masters passes this moment once.',
  },
  'ETCD-002': {
    title: 'No quorum after a restart',
    explanation:
      'The kubelet of a half-joined master was restarted so that its etcd member starts; it did not.',
    remedy: 'Nothing is to be done: it is tried again. If it stays so, read the log of etcd on that machine.',
  },
  'UPGRADE-001': {
    title: 'etcd could not be without this member',
    explanation:
      'While a master is upgraded where it stands its member of etcd starts anew. The others must be a majority without it.',
    remedy: 'Bring the members back that the message names; the upgrade goes on by itself.',
  },
  'ETCD-003': {
    title: 'etcd does not come up on a machine of its own',
    explanation:
      'The kubelet there was given the static pod of etcd, and its member did not become a healthy voter in time.',
    remedy: 'Nothing is to be done: it is tried again. If it stays so, read the log of the kubelet there.',
  },
  'ETCD-004': {
    title: 'One more member would risk the quorum',
    explanation: 'Just before a machine of etcd joined, too few members were well.',
    remedy: 'Bring back the machines that the message names; the join goes on by itself.',
  },
  'ETCD-005': {
    title: 'An API server does not come back with other etcd servers',
    explanation:
      'API servers are given the members of etcd one after another, each only when the last one answers again.',
    remedy:
      'Nothing is to be done: it is tried again. If it stays so, read the log of the kubelet on that master.',
  },
  'MASTER-001': {
    title: 'Another master is joining',
    explanation:
      'Masters join one at a time: the next may join when the member of the last is a healthy voter of etcd.',
    remedy: 'Nothing is to be done while the machine that the message names answers; else bring it back.',
  },
  'MASTER-002': {
    title: 'One more master would risk the quorum',
    explanation:
      'Just before a master joined, too few members of etcd were well to keep the quorum even if the new one never starts.',
    remedy: 'Bring back the masters that the message names; the join goes on by itself.',
  },
  'CERT-001': {
    title: 'Certificates were not renewed',
    explanation:
      'kubeadm ended well and a certificate still ends too early. It leaves out those whose authority has its key elsewhere.',
    remedy: 'Have the authority sign anew where its key is, or give the cluster authorities with keys.',
  },
  'CERT-002': {
    title: 'A restart of etcd would cost the quorum',
    explanation:
      'A member that restarts is away for seconds, and the others are not a majority just now. Certificates are renewed when they are.',
    remedy: 'Bring back the machines that the message names; the renewal goes on by itself.',
  },
  'CERT-003': {
    title: 'The only API server that answers',
    explanation:
      'Restarting it would leave the cluster without an API, though other masters should have one.',
    remedy: 'Bring back an API server that the message names; the renewal goes on by itself.',
  },
  'CERT-004': {
    title: 'Not well after a restart',
    explanation: 'A part of the control plane was restarted with renewed certificates and did not come back.',
    remedy: 'Nothing is to be done: it is tried again. If it stays so, read its log on that machine.',
  },
  'CERT-010': {
    title: 'A kubelet asks to serve as somebody else',
    explanation:
      'Whoever holds a certificate for a name or an address is believed to be it. A kubelet gets one for the name and the address that its machine was given, and for nothing else; its request was denied.',
    remedy:
      'See which addresses the kubelet found on its machine. If nobody gave them to it, treat the machine as taken over and replace it.',
  },
  'CERT-011': {
    title: 'kubeadm left a certificate of the old authority',
    explanation:
      'A master was given the new authority and its key, kubeadm was run, and a certificate is signed by another one still.',
    remedy: 'Read what kubeadm printed. Mend it on the machine, or replace the machine; then resume.',
  },
  'CERT-012': {
    title: 'Not every pod is told of the authorities yet',
    explanation:
      'The controllers of the cluster give every namespace the authorities that are believed. They had not come to all of them.',
    remedy:
      'Nothing is to be done: it is looked at again. If it stays so, see that a controller-manager leads.',
  },
  'CERT-009': {
    title: 'A kubelet was given no certificate',
    explanation:
      'Its own had run out, it was started with what it needs to ask for another one, and none came within minutes.',
    remedy: 'Read the journal of the kubelet on the machine; then resume.',
  },
  'RESTORE-004': {
    title: 'Another etcd could still serve',
    explanation:
      'Just before the data was made anew, the etcd of another machine ran still, or could be started from its former data. Two clusters under one name would each take writes that the other never sees.',
    remedy: 'Resume the operation: what is to be stopped there is planned anew.',
  },
  'RESTORE-006': {
    title: 'A backup says something else of itself',
    explanation: 'What stands beside the encrypted file has changed since the restore was planned.',
    remedy: 'Do not trust what the backup lies on; choose another one.',
  },
  'ADDON-001': {
    title: 'Unknown add-on',
    explanation: 'The plan names an add-on that this release does not have.',
    remedy: 'Choose one that the reference of the answer file lists.',
  },
  'MACHINE-001': {
    title: 'No host key from the provider',
    explanation: 'Without it nobody can tell the machine from one that pretends to be it.',
    remedy: "Give the host key in the provider's section, or make the machine from a Remuda image.",
  },
  'MACHINE-002': {
    title: 'Damaged machine declaration',
    explanation:
      'A node image says in /etc/remuda/machine.json what ground it gives; that file is not valid.',
    remedy: 'Mend or remove the file on that machine.',
  },
  'ENDPOINT-001': {
    title: 'No network card with the address of the machine',
    explanation: 'The virtual address of the API is put on the card that holds the address of the machine.',
    remedy: 'Give the machine an address of its own network.',
  },
  'VERIFY-001': {
    title: 'Pods do not answer through a Service',
    explanation:
      'The last proof starts a pod on every node and asks each through one Service; some were silent.',
    remedy: 'Look at the network add-on and kube-proxy on the nodes the message names, then resume.',
  },
  'TEARDOWN-001': {
    title: 'Something is left over',
    explanation:
      'After a deletion the provider was asked for everything it made, and something is still there.',
    remedy: 'Remove it at the provider or mend the reason, then resume the operation.',
  },
};
