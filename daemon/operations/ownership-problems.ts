import type { ProblemReport } from '../../provisioners/contract/problem.ts';

/** Why a cluster is not given away or not taken in, by stable code. */
export const ownershipProblems = {
  noReceipt: (cluster: string): ProblemReport => ({
    kind: 'user',
    code: 'EJECT-002',
    summary: `nobody has opened the keys of cluster ${cluster} since this server was started, so it is not ejected: they leave with it`,
    remedy: `Let the command fetch and open them: remuda eject ${cluster} --to FOLDER`,
  }),
  isOurs: (cluster: string): ProblemReport => ({
    kind: 'user',
    code: 'ADOPT-005',
    summary: `this Remuda keeps a cluster named ${cluster} already`,
    remedy:
      'Change it with "remuda apply"; an adoption that stopped goes on with "remuda operation resume ID".',
    value: cluster,
  }),
  oneCluster: (found: number): ProblemReport => ({
    kind: 'user',
    code: 'ADOPT-006',
    summary: `the file holds ${found} Cluster documents; one cluster is adopted at a time`,
    remedy: 'Give a file with the Provider and the one Cluster that is to be adopted.',
  }),
  isKept: (cluster: string, uid: string): ProblemReport => ({
    kind: 'user',
    code: 'ADOPT-007',
    summary: `cluster ${cluster} bears the mark of a Remuda (${uid}): another appliance keeps it, or did until its state was lost`,
    remedy:
      'If that appliance lives, let it eject the cluster. If it is gone for good: repeat with --take-over, which also locks it out.',
  }),
  noUid: (cluster: string): ProblemReport => ({
    kind: 'blocked',
    code: 'ADOPT-008',
    summary: `neither a mark in cluster ${cluster} nor the provider's record of its machines says which cluster it is`,
    remedy: 'Look whether the Provider document names the provider that holds its machines.',
  }),
  etcdUnseen: (cluster: string): ProblemReport => ({
    kind: 'blocked',
    code: 'ADOPT-020',
    summary: `the agent has not looked for etcd on machines of its own in cluster ${cluster}`,
    remedy: 'Update the agent.',
  }),
  notVisited: (name: string, why: string, isMember: boolean): ProblemReport => ({
    kind: 'blocked',
    code: 'ADOPT-009',
    summary: `${name} cannot be visited: ${why}`,
    remedy: `Bring it back and let the given SSH key log in there, or take ${isMember ? 'its member out of etcd (etcdctl member remove)' : 'its Node out of the cluster'}; then repeat. Nothing was changed.`,
  }),
  hostKeyDiffers: (
    name: string,
    { shown, given }: { readonly shown: string; readonly given: readonly string[] },
  ): ProblemReport =>
    given.length === 0
      ? {
          kind: 'user',
          code: 'ADOPT-013',
          summary: `the file of known hosts has no host key of ${name}`,
          remedy: `It shows ${shown}. If that is its own (ssh-keygen -l there), add it to the file.`,
          value: name,
        }
      : {
          kind: 'user',
          code: 'ADOPT-001',
          summary: `${name} shows the host key ${shown}, not ${given.join(' or ')}`,
          remedy:
            'Find out on the machine which one is its own (ssh-keygen -l); if not that, somebody is in between.',
          value: given[0] ?? '',
        },
  hostKeyUnseen: (name: string): ProblemReport => ({
    kind: 'blocked',
    code: 'ADOPT-020',
    summary: `the agent has not compared the host key of ${name} with the given ones`,
    remedy: 'Update the agent.',
  }),
  differs: (cluster: string, field: string, found: string, asked: string): ProblemReport => ({
    kind: 'user',
    code: 'ADOPT-010',
    summary: `cluster ${cluster} has ${found}, and the file asks for ${asked}`,
    remedy: `Write ${found} for now: what is adopted is described as it is, and changed by "remuda apply" afterwards.`,
    place: { document: `Cluster/${cluster}`, field },
    value: asked,
  }),
  unknownNetwork: (cluster: string, asked: string, found: readonly string[]): ProblemReport => ({
    kind: 'user',
    code: 'ADOPT-011',
    summary: `the network add-on ${asked} of the file does not run in cluster ${cluster}; kube-system has ${found.length === 0 ? 'no DaemonSet' : found.join(', ')}`,
    remedy:
      'Name the add-on that runs there. A network that this release does not know cannot be adopted: two of them in one cluster cut each other off.',
    place: { document: `Cluster/${cluster}`, field: 'spec.addons.network.type' },
    value: asked,
  }),
  otherMachine: (name: string, why: string, isMember: boolean): ProblemReport => ({
    kind: 'blocked',
    code: 'ADOPT-012',
    summary: `the machine of ${name} is not to be adopted: ${why}`,
    remedy: `Adoption takes in machines that the provider knows under the names of their ${isMember ? 'members of etcd, as machines of etcd' : 'Nodes'}.`,
  }),
};
