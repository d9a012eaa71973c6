import type { ProblemCatalogue } from '../../provisioners/contract/problem.ts';

/** Why a plan cannot be made. Stable; none is ever given a new meaning. */
export const planningCodes: ProblemCatalogue = {
  'PLAN-001': {
    title: 'A fixed field was changed',
    explanation:
      'The field is immutable: it is decided when the cluster is made, and nothing can change it afterwards.',
    remedy:
      'Write the old value again, or make a new cluster. The reference of the answer file says which fields are fixed.',
  },
  'PLAN-002': {
    title: 'The provider could not be asked',
    explanation: 'Without knowing which machines exist, Remuda neither makes nor removes any.',
    remedy: 'Bring the provider back into reach, then repeat the command.',
  },
  'PLAN-003': {
    title: 'The cluster does not answer',
    explanation:
      'The cluster has run before and its nodes cannot be seen now, so what it holds is not known. Its API is silent, or the agent cannot open its keys.',
    remedy: 'Bring a master back (are the machines on?), or do what the message says, then apply again.',
  },
  'PLAN-004': {
    title: 'No address left for a machine',
    explanation: 'All addresses of spec.nodeNetwork.ranges are in use or reserved.',
    remedy: 'Add a range.',
  },
  'PLAN-005': {
    title: 'Too few hosts',
    explanation: 'The cluster asks for more machines of a role than the provider lists hosts.',
    remedy: 'Add hosts of that role, or ask for fewer machines.',
  },
  'PLAN-008': {
    title: 'A machine is just being removed',
    explanation:
      'A machine on its way out is neither there nor gone; a plan made now would be wrong in a moment.',
    remedy: 'Apply again when it is gone.',
  },
  'PLAN-009': {
    title: 'etcd did not name its members',
    explanation: 'Members of etcd come and go only when it is seen that etcd is well.',
    remedy: 'Bring etcd back, then apply again.',
  },
  'PLAN-010': {
    title: 'One more member of etcd would risk the quorum',
    explanation: 'Voters are unwell. If the new one did not start either, etcd would lose its majority.',
    remedy: 'Bring the voters back that the message names, then apply again.',
  },
  'PLAN-011': {
    title: 'No address for the Kubernetes API',
    explanation: 'Neither the file nor the provider says under which address the API is reached.',
    remedy: 'Set spec.controlPlane.endpoint.host to a free address of the node network, or to a DNS name.',
  },
  'PLAN-012': {
    title: 'No such add-on in this release',
    explanation: 'The add-on is not built yet, or not for this version of Kubernetes.',
    remedy: 'Choose one that the reference of the answer file lists, or leave it out.',
  },
  'PLAN-013': {
    title: 'A strict check cannot be bypassed',
    explanation: 'What the check finds would break the cluster, not only slow it down.',
    remedy: 'Mend what the check finds. The page of preflight checks says which can be bypassed.',
  },
  'PLAN-014': {
    title: 'No such check to bypass',
    explanation: 'A bypass that is misspelt would be recorded and would bypass nothing.',
    remedy: 'Take the id from the finding, or from the page of preflight checks.',
  },
  'PLAN-015': {
    title: 'A member of etcd cannot leave now',
    explanation:
      'Without it the etcd members that stay would be no healthy majority, and the cluster would stop.',
    remedy: 'Bring the members back that the message names, or add another first. Nothing was changed.',
  },
  'PLAN-016': {
    title: 'No such machine',
    explanation: 'Nothing of that name is there: no machine at the provider, no Node, no etcd member.',
    remedy: 'Take the name from remuda get machines.',
  },
  'PLAN-017': {
    title: 'An even number of masters, or of machines of etcd',
    explanation: 'etcd decides by majority: a fourth member can fail and helps nobody.',
    remedy: 'Add or remove two at a time, or replace single ones.',
  },
  'PLAN-019': {
    title: 'A step back',
    explanation: 'An older version of Kubernetes need not understand what a newer one wrote into etcd.',
    remedy: 'Ask for the version that runs, or for a newer one.',
  },
  'PLAN-022': {
    title: 'The last upgrade is not finalized',
    explanation: 'Machines are kept for its way back; two upgrades deep there would be none.',
    remedy: 'Finalize it (remuda finalize), or go back (remuda back), before the next one.',
  },
  'PLAN-023': {
    title: 'No upgrade to go back from',
    explanation: 'The way back is there until an upgrade is finalized.',
    remedy: 'What was in etcd before stands in its backups.',
  },
  'PLAN-020': {
    title: 'More than one minor at a time',
    explanation:
      "Kubernetes' version skew policy allows components to be one minor apart while they are upgraded.",
    remedy: 'Upgrade to the next minor first.',
  },
  'PLAN-040': {
    title: 'etcd cannot be backed up now',
    explanation:
      'A snapshot is whole only when a majority of the members of etcd answers; the message says who does not.',
    remedy:
      'Bring the machines back that are named, then ask again. A majority that is lost for good is restored.',
  },
  'PLAN-041': {
    title: 'No recovery key',
    explanation:
      'Backups are encrypted to the recovery key, so that they can be opened when the appliance is lost.',
    remedy: 'Start the daemon with a recovery key: it makes one on its first start.',
  },
  'PLAN-030': {
    title: 'A silent machine stands in the way of a restore',
    explanation:
      'A master, or a machine of etcd, that does not answer may only be cut off from Remuda, and serve the data that is to be given up. Two etcd clusters under one name would each take writes that the other never sees.',
    remedy:
      'Bring it back, or say that it is lost with `--lost`: then it is destroyed before anything is restored.',
  },
  'PLAN-031': {
    title: 'It is not lost',
    explanation: 'A machine that was called lost answers.',
    remedy: 'Leave it out: who answers is stopped, and joins the restored cluster.',
  },
  'PLAN-032': {
    title: 'The machine whose data was to be kept is silent',
    explanation: 'The cluster was to go on with the data of one machine, and that one does not answer.',
    remedy: 'Bring it back, or restore from a backup.',
  },
  'PLAN-033': {
    title: 'A backup of another minor',
    explanation:
      'What one minor of Kubernetes wrote into etcd need not be read by another, and the configuration in it names the old one.',
    remedy: 'Choose a backup of the minor that the document names.',
  },
  'PLAN-034': {
    title: 'A master without data',
    explanation:
      'Where etcd has machines of its own, masters have none of its data, and none can be kept of them.',
    remedy: 'Name a machine of etcd that is left, or restore from a backup.',
  },
  'PLAN-018': {
    title: 'No such group',
    explanation: 'Machines are added to the masters (control-plane) or to a worker group of the document.',
    remedy: 'Take the name of a group from the message, or add the group to the answer file.',
  },
  'PLAN-060': {
    title: 'No machine may be away',
    explanation:
      'Machines that are upgraded where they stand are away one after another, and nobody comes in their place; the number of machines that must go on serving leaves none of the group.',
    remedy: 'Write a smaller number in spec.maintenance.minimumReady, or a share.',
  },
  'PLAN-050': {
    title: 'No master to renew',
    explanation: 'The provider knows no machine of the cluster that is a master on duty.',
    remedy: 'Apply the answer file: masters that are made anew get new certificates.',
  },
  'PLAN-051': {
    title: 'No such machine with certificates',
    explanation:
      'Only masters, and machines of etcd, have certificates that Remuda renews. Those that leave, or are kept for the way back, are not on duty.',
    remedy: 'Take the name from the message, or name nobody to renew all.',
  },
  'PLAN-052': {
    title: 'The certificates of a machine were not seen',
    explanation:
      'It is off or could not be visited. Others would be renewed and this one would go on with old certificates unnoticed.',
    remedy: 'Bring it back or replace it; or renew only the others with --machine.',
  },
  'PLAN-070': {
    title: 'A machine of etcd without an address',
    explanation:
      'API servers are told the addresses of etcd, so those are fixed before its machines are made.',
    remedy: 'Give the cluster a nodeNetwork with room for its machines.',
  },
  'PLAN-071': {
    title: 'Not built for etcd on machines of its own',
    explanation:
      'The authorities of a cluster are rotated only where its masters have members of etcd. All other operations work wherever etcd is.',
    remedy: 'Do what the message says instead.',
  },
  'PLAN-080': {
    title: 'Another stage of the rotation comes first',
    explanation:
      'The authorities of a cluster are rotated in three stages: trust, reissue, drop. Each builds on the one before; a new rotation begins when the last one is dropped.',
    remedy: 'Run the stage that the message names.',
  },
  'PLAN-081': {
    title: 'A machine cannot be told of the authorities',
    explanation:
      'A stage reaches every machine of the cluster, or the next one would cut it off. This one is off, was never met, or is not finished.',
    remedy: 'Bring it back or replace it, then ask again.',
  },
  'PLAN-082': {
    title: 'Machines are kept for the way back of an upgrade',
    explanation: 'They are switched off and would come back with authorities that nobody believes any more.',
    remedy: 'Finalize the upgrade, or go back, before the authorities are rotated.',
  },
  'PLAN-053': {
    title: 'A moment that is to come',
    explanation: 'Certificates count as new when they were made since a moment that is over.',
    remedy: 'Leave --since out, or name a moment that is over.',
  },
};
