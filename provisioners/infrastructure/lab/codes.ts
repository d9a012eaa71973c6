import type { ProblemCatalogue } from '../../contract/problem.ts';

/** What may be wrong with a lab. Stable; none is ever given a new meaning. */
export const labCodes: ProblemCatalogue = {
  'LAB-001': {
    title: 'A program failed on the box',
    explanation: 'A system program that the lab needs (ip, mount, systemd-nspawn) ended with an error.',
    remedy: 'Read its last lines, mend the cause; the step is tried again.',
  },
  'LAB-002': {
    title: 'The lab section of a provider is not valid',
    explanation: 'It holds something else than the lab knows.',
    remedy: 'Keep only subnet, cpus and memory in spec.lab.',
  },
  'LAB-003': {
    title: 'Not a place for labs',
    explanation: 'REMUDA_LAB_DIR names a folder that cannot hold machines.',
    remedy: 'Name a folder outside /mnt, made of letters, digits, dots, hyphens and underscores.',
  },
  'LAB-010': {
    title: 'Not an IPv4 address',
    explanation: 'The lab works with IPv4.',
    remedy: 'Write four decimal numbers from 0 to 255, separated by dots.',
  },
  'LAB-011': {
    title: 'A node network without range and gateway',
    explanation: 'nodeNetwork is there, but says nothing that a subnet could be taken from.',
    remedy: 'Give a range, or leave nodeNetwork out: the lab then chooses one.',
  },
  'LAB-012': {
    title: 'A range that does not fit the subnet',
    explanation: 'It lies outside, or holds the first or last address or the gateway.',
    remedy: 'Choose other addresses of the subnet that the message names.',
  },
  'LAB-013': {
    title: 'No free subnet',
    explanation: 'Every subnet that the lab would choose is used by a route of this box or by another lab.',
    remedy:
      'Remove labs (scripts/lab list, scripts/lab down NAME), or name a free network in spec.nodeNetwork.',
  },
  'LAB-014': {
    title: 'A lab cannot move',
    explanation: 'The lab of the cluster already stands in another subnet.',
    remedy: 'Write the old subnet again, or delete the cluster first.',
  },
  'LAB-015': {
    title: 'The subnet is in use',
    explanation: 'Another lab or a route of this box uses it. Remuda takes nothing from others.',
    remedy: 'Name a free network, or leave nodeNetwork out.',
  },
  'LAB-016': {
    title: 'The lab still has machines',
    explanation: 'The network goes after the machines.',
    remedy: 'Destroy the machines first.',
  },
  'LAB-020': {
    title: 'apt names no Debian mirror',
    explanation: 'The image of the lab machines is made from the same mirror that apt on this box uses.',
    remedy: 'Run `apt-get update` and see that `apt-get indextargets` prints lines.',
  },
  'LAB-021': {
    title: 'The image of the lab machines could not be built',
    explanation: 'mmdebstrap ended with an error; its last lines are shown.',
    remedy:
      'See whether the box reaches its mirror (`apt-get update`) and has 1 GiB free in the cache, then repeat.',
  },
  'LAB-030': {
    title: 'Processes of a lab machine do not die',
    explanation: 'They were killed and are still there, most often waiting for the disk of the box.',
    remedy: 'Look at them with the command in the message; the step is tried again.',
  },
  'LAB-031': {
    title: 'A lab machine started, but its sshd is silent',
    explanation: 'The machine did not come up in time, or died; its last lines are shown.',
    remedy: 'Look inside with the command in the message; the step is tried again.',
  },
  'LAB-040': {
    title: 'Not a name for a machine',
    explanation: 'The name becomes a host name.',
    remedy: 'Use lower case letters, digits and hyphens, at most 63, a letter or digit at both ends.',
  },
  'LAB-041': {
    title: 'The machine is being destroyed',
    explanation: 'It cannot be made again under the same name before it is gone.',
    remedy: 'Let the destruction end, then repeat.',
  },
  'LAB-042': {
    title: 'The lab has no network yet',
    explanation: 'Machines come after the network.',
    remedy: 'Resume the operation: it prepares the network first.',
  },
  'LAB-043': {
    title: 'No such machine in the lab',
    explanation: 'The lab knows no machine of that name.',
    remedy: 'Use one of the names in the message.',
  },
  'LAB-044': {
    title: 'An address outside the subnet',
    explanation: 'The wanted address does not belong to the subnet of the lab.',
    remedy: 'Choose an address of that subnet.',
  },
  'LAB-045': {
    title: 'No free address',
    explanation: 'The wanted address is taken, or all addresses of the ranges are.',
    remedy: 'Destroy a machine or widen the ranges.',
  },
  'LAB-046': {
    title: 'The name of the machine is taken',
    explanation: 'A machine of that name exists and was made by another request.',
    remedy: 'Destroy that machine first, or use another name.',
  },
  'LAB-047': {
    title: 'The cluster was ejected',
    explanation:
      'Its machines were given away and live on without Remuda, which neither changes nor removes them.',
    remedy: 'Adopt the cluster first, or remove its machines yourself (`scripts/lab sweep --all --ejected`).',
  },
};
