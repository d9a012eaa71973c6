import type { ProblemCatalogue } from '../../provisioners/contract/problem.ts';

const adopted =
  'Only what is described as it is found is adopted, so that the first apply afterwards holds no surprise.';

/** What may be wrong with giving a cluster away, or taking one in. */
export const ownershipCodes: ProblemCatalogue = {
  'EJECT-001': {
    title: 'A machine is switched off',
    explanation: 'What is given away must be whole, and Remuda must leave every machine of it.',
    remedy: 'Switch it on or remove it first.',
  },
  'EJECT-002': {
    title: 'The keys were not opened',
    explanation:
      "A cluster leaves with its keys. They are sealed for the caller together with a receipt, and nothing is begun before that receipt came back: then the keys are in the caller's hands.",
    remedy: 'Use the command `remuda eject CLUSTER --to FOLDER`, which fetches and opens them first.',
  },
  'ADOPT-001': {
    title: 'Another host key',
    explanation:
      'A machine shows another SSH host key than the one that was given with `--host-key` or `--known-hosts`. Nobody logs in to it.',
    remedy: 'Compare it on the machine itself: `ssh-keygen -l -f /etc/ssh/…_key.pub`.',
  },
  'ADOPT-002': {
    title: 'The API server does not answer',
    explanation: 'Adoption asks the API server of the named master, by way of SSH, and it is not ready.',
    remedy: 'Name another master, or bring this one back first.',
  },
  'ADOPT-003': {
    title: "The authorities' keys are not on the master",
    explanation:
      'Remuda makes certificates for new machines and for people, and needs the keys of the authorities for that. A cluster whose authorities are external cannot be adopted.',
    remedy: 'Name a master; bring the keys there if they were taken away.',
  },
  'ADOPT-004': {
    title: 'Made by somebody else',
    explanation:
      'What Remuda keeps on its masters is not there: the cluster was made by another tool, and machines that Remuda would make for it would not be like its own.',
    remedy: 'Make a new cluster with Remuda and move what runs.',
  },
  'ADOPT-005': {
    title: 'It is ours already',
    explanation: 'A cluster of this name is kept by this very Remuda.',
    remedy: 'Use `remuda apply`, or go on with the adoption that stopped.',
  },
  'ADOPT-006': {
    title: 'Not one cluster',
    explanation: adopted,
    remedy: 'Give a file with exactly one Cluster document.',
  },
  'ADOPT-007': {
    title: 'Another Remuda keeps it',
    explanation:
      'The mark in the cluster says so. Two appliances that both look after one cluster undo what the other does; whether the other one lives cannot be told from here.',
    remedy: 'Eject it there; or, when that appliance is gone for good, `--take-over`.',
  },
  'ADOPT-008': {
    title: 'Nobody knows which cluster it is',
    explanation: "Machines at the provider are tagged with the cluster's uid; without it they are nobody's.",
    remedy: 'Check the Provider document.',
  },
  'ADOPT-009': {
    title: 'A machine cannot be visited',
    explanation:
      'The machines of all Nodes, and of all members of an etcd that stands apart, are visited before anything is changed, so that adoption does not stop half way.',
    remedy: 'Bring the machine back, let the SSH key in, or remove its Node or its member.',
  },
  'ADOPT-010': {
    title: 'The file describes another cluster',
    explanation: adopted,
    remedy: 'Write what was found; change it afterwards.',
  },
  'ADOPT-011': {
    title: 'Another network',
    explanation: 'The network add-on that the file names does not run in the cluster.',
    remedy: 'Name the one that runs; one that this release does not know cannot be adopted.',
  },
  'ADOPT-012': {
    title: 'The machine is not known so',
    explanation:
      'The provider has no machine with the address of the Node or of the member of etcd, or has it under another name, for another cluster or for another role.',
    remedy: 'Find out whose it is; it is not adopted on a guess.',
  },
  'ADOPT-013': {
    title: 'No host key was given for a machine',
    explanation:
      'With `--known-hosts` only machines that stand in that file are let in: by address, or by the name of their Node or of their member of etcd.',
    remedy: 'Add the key after you have compared it on the machine itself, or leave the option out.',
  },
  'ADOPT-014': {
    title: 'No file of known hosts',
    explanation: 'What was given with `--known-hosts` holds no host key as OpenSSH writes them.',
    remedy: 'Give lines as in `~/.ssh/known_hosts`: address, type, key.',
  },
  'ADOPT-015': {
    title: "The key of etcd's authority is nowhere",
    explanation:
      'Where etcd stands apart from the masters, the key of its authority is looked for on the named master and on every machine of etcd that its API server is given. Without it nobody can ask etcd for its members, let a machine join it, or renew its certificates.',
    remedy: 'Put it back where the message says. `remuda eject` wrote it as `pki/etcd/ca.key`.',
  },
  'ADOPT-020': {
    title: 'The agent is too old',
    explanation: 'Adoption came with a later release than that of the agent.',
    remedy: 'Update the agent.',
  },
  'ADOPT-021': {
    title: 'The machines are gone',
    explanation: 'The provider has no machine of the cluster any more.',
    remedy: 'Find out what became of them.',
  },
};
