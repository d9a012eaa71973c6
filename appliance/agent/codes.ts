import type { ProblemCatalogue } from '../../provisioners/contract/problem.ts';

const processCodes: ProblemCatalogue = {
  'AGENT-010': {
    title: 'Not an enrolment token',
    explanation: 'A token has the form <CA hash>.<secret>.',
    remedy: 'Copy the whole line that `remuda agent token` printed.',
  },
  'AGENT-011': {
    title: 'Not the daemon of the token',
    explanation: 'None of the certificates it showed has the hash in the token. Nothing was sent to it.',
    remedy: 'Check the address; if it is right, make a fresh token at the daemon you mean.',
  },
  'AGENT-012': {
    title: 'The daemon refused the agent',
    explanation: 'The token was used, has expired, or the site has an agent already.',
    remedy: 'Make a fresh token and start the agent with it.',
  },
  'AGENT-013': {
    title: 'The daemon could not enrol the agent',
    explanation: 'Something failed in the daemon.',
    remedy: 'Read the log of the daemon; start the agent again with the same token.',
  },
  'AGENT-014': {
    title: 'The daemon cannot be reached',
    explanation: 'Name, network or port are wrong, or the daemon does not run.',
    remedy: 'Check the address given with --server.',
  },
  'AGENT-020': {
    title: 'The state folder is in use',
    explanation: 'Two agents on one folder would do work twice.',
    remedy: 'Stop the other one, or give this one a folder of its own.',
  },
  'AGENT-021': {
    title: 'The agent is not enrolled',
    explanation: 'It has no certificate yet, and no token to get one with.',
    remedy:
      'Make a token with `remuda agent token SITE`, and start the agent once with --server URL --enrol-file FILE.',
  },
  'AGENT-030': {
    title: 'Work of another epoch',
    explanation: 'It was meant for the agent before or after this one.',
    remedy: 'If the agent was replaced on purpose, nothing is to be done; otherwise enrol it again.',
  },
  'AGENT-031': {
    title: 'An unknown kind of step',
    explanation: 'The daemon is newer than the agent.',
    remedy: 'Update the agent to the release of the daemon, then resume.',
  },
  'AGENT-032': {
    title: 'The input of a step is too new',
    explanation: 'The daemon is newer than the agent.',
    remedy: 'Update the agent to the release of the daemon, then resume.',
  },
  'AGENT-033': {
    title: 'The input of a step is not valid',
    explanation: 'The agent checks again what the daemon sends. This is a mistake of Remuda.',
    remedy: 'Plan the operation again; if it fails again, please report it.',
  },
  'AGENT-040': {
    title: 'No token for this role',
    explanation:
      'Tokens for programs are bound to the roles cluster-admin or view of the cluster, and given only where it can make them.',
    remedy: 'Take a kubeconfig, or bind a role of your own inside the cluster.',
  },
  'PROVIDER-101': {
    title: 'The agent does not know this type of provider',
    explanation: 'It is older, or its box cannot hold labs (its log says why).',
    remedy: 'Update the agent, or use one of the types in the message.',
  },
  'STEP-001': {
    title: 'Tried often, and still not so',
    explanation:
      'The step was applied as often as it may be, and each look after it found the goal not reached.',
    remedy: 'Read the last lines of the step in the log, mend the cause, then resume the operation.',
  },
  'STEP-002': {
    title: 'The hard limit of a step is over',
    explanation:
      'The step waited longer than anybody should. The message says for what, and what was seen last.',
    remedy: 'Mend the cause, then resume the operation: it goes on from here.',
  },
};

const secretCodes: ProblemCatalogue = {
  'SECRET-011': {
    title: 'The secret lacks a value',
    explanation: 'The secret is there, but not the key that is needed.',
    remedy: 'Give it with `remuda secret set`.',
  },
  'SECRET-012': {
    title: 'The agent cannot open a secret',
    explanation: 'It was sealed to another agent, or changed.',
    remedy:
      'If the agent was replaced: remuda agent reseal SITE --recovery-key-file FILE. Without that key, give the secrets again.',
  },
  'SECRET-013': {
    title: 'The keys of the cluster did not come with the work',
    explanation: 'The daemon sends them sealed with each step that needs them. This is a mistake of Remuda.',
    remedy: 'Plan the operation again; if it happens again, please report it.',
  },
  'PKI-001': {
    title: 'Not a certificate request',
    explanation: 'What was sent is not a PKCS#10 request signed by its own key.',
    remedy: 'Let the remuda command make it.',
  },
  'PKI-002': {
    title: 'A key that is too weak',
    explanation: 'The key of the request is of a kind or size that is not accepted.',
    remedy: 'Use ECDSA P-256 or P-384, Ed25519, or RSA of at least 2048 bits.',
  },
  'PKI-010': {
    title: 'Nothing to read in what was given for an authority',
    explanation:
      'The secret of `spec.certificates.authority` holds `tls.crt` and `tls.key` in PEM, the key without a passphrase; for a server it holds `token`.',
    remedy: 'Give it anew with `remuda secret set`.',
  },
  'PKI-011': {
    title: 'The key of an authority is not its own, or not accepted',
    explanation: 'What it signs would be believed by nobody.',
    remedy: 'Give the key of the first certificate: RSA of at least 2048 bits, or ECDSA P-256, P-384, P-521.',
  },
  'PKI-012': {
    title: 'Not an authority that can sign for a cluster',
    explanation:
      'A certificate of the chain is no authority (basicConstraints), may not sign (keyUsage), or only for certain names or purposes.',
    remedy: 'Give an intermediate authority without name constraints, for servers and clients.',
  },
  'PKI-013': {
    title: 'An authority that may have none below it',
    explanation:
      'Each cluster has three authorities of its own, for the API, for etcd and for the front proxy. With one for all, whoever may speak to the API could speak to etcd.',
    remedy: 'Give an authority with a pathlen of at least 1, or without one.',
  },
  'PKI-014': {
    title: 'An authority that does not last',
    explanation:
      'The certificates of a cluster last a year, and none is believed for longer than its authority.',
    remedy: 'Give one that lasts at least a year from now.',
  },
  'PKI-015': {
    title: 'A chain that does not hang together',
    explanation: 'A certificate was not signed by the one that stands after it.',
    remedy: 'Give each certificate followed by the one that signed it.',
  },
  'PKI-016': {
    title: 'The server does not sign',
    explanation:
      'The server of `spec.certificates.authority` answered with another status than 200. What it said is not repeated here; redirections are not followed.',
    remedy: 'Check the token, its policy, and under which path the engine is mounted; then plan again.',
  },
  'PKI-017': {
    title: 'The server answers something else',
    explanation:
      'What came back is no answer of the PKI engine of Vault or OpenBao, or a certificate for another key than was asked.',
    remedy: 'Check the address and the path of the engine.',
  },
  'PKI-003': {
    title: 'No credential for system names',
    explanation:
      'Users and groups that begin with system: belong to Kubernetes itself and are never handed out.',
    remedy: 'Use a group that a role binding of the cluster grants its rights.',
  },
  'PKI-004': {
    title: 'An authority of another kind',
    explanation: "The cluster's authority has a key that this release cannot sign with.",
    remedy: 'Authorities have RSA keys, or ECDSA keys of P-256, P-384 or P-521.',
  },
};

const machineCodes: ProblemCatalogue = {
  'SSH-001': {
    title: 'A machine cannot be reached',
    explanation: 'The connection was refused, or nothing answers.',
    remedy: 'Look whether the machine has power and network; work goes on by itself when it is back.',
  },
  'SSH-002': {
    title: 'A machine shows another host key',
    explanation:
      'The key is pinned at first contact. It is another machine, was made anew, or somebody is in between.',
    remedy: 'Find out which of these it is before you go on.',
  },
  'SSH-003': {
    title: 'A machine does not let the cluster in',
    explanation: "The cluster's own key is not among the keys that may log in there.",
    remedy: 'Put its public key into authorized_keys of that user.',
  },
  'SSH-004': {
    title: 'A machine stopped answering',
    explanation: 'The line was cut while something ran. What runs on the machine goes on there.',
    remedy: 'Look whether the machine has power and network; the work is taken up by itself.',
  },
  'SSH-005': {
    title: 'A machine refuses an older agent',
    explanation: 'A newer agent was here before: this one was replaced.',
    remedy: 'Nothing is to be done; the newer one goes on.',
  },
  'SSH-006': {
    title: 'No host key is known',
    explanation: 'Without it nobody can prove to be that machine.',
    remedy: 'Give the host key in the answer file, or let Remuda make the machine.',
  },
  'SSH-007': {
    title: 'A question to a machine failed',
    explanation: 'A command that only looks ended with an error; its last lines are shown.',
    remedy: 'Mend what the lines say; it is tried again.',
  },
  'UNIT-001': {
    title: 'A command on a machine failed',
    explanation: 'A command that changes the machine ended with an error; its last lines are shown.',
    remedy: 'Mend what the lines say. It is tried again, then the operation can be resumed.',
  },
  'UNIT-002': {
    title: 'A command vanished from a machine',
    explanation:
      'It ran and left neither process nor result: the machine was restarted, or somebody removed it.',
    remedy: 'Nothing is to be done: the step looks again and starts it anew if needed.',
  },
  'HOST-101': {
    title: 'A machine does not show its new host key yet',
    explanation: 'sshd takes a moment to read its keys again.',
    remedy: 'Nothing is to be done: it is tried again. If it stays so, read the log of sshd there.',
  },
  'PAYLOAD-040': {
    title: 'The payload lacks a part',
    explanation: 'It was made by a release that did not know of it.',
    remedy: 'Build or fetch the payload again with this release.',
  },
  'PAYLOAD-041': {
    title: 'The payload on a machine cannot be looked at',
    explanation: 'The look at its files ended with an error.',
    remedy: 'Mend what the message says; it is tried again.',
  },
};

const clusterCodes: ProblemCatalogue = {
  'TLS-001': {
    title: 'A server in the cluster does not answer',
    explanation: 'API server or etcd cannot be reached through its machine, or does not answer in time.',
    remedy: 'Look at that machine; it is tried again.',
  },
  'KUBE-101': {
    title: 'No API server answers',
    explanation: 'Every master was asked; the message says what each one said.',
    remedy: 'Bring a master back; it is tried again.',
  },
  'KUBE-102': {
    title: 'The API server cannot do it now',
    explanation: 'It is busy, or what is asked for does not exist yet.',
    remedy: 'Nothing is to be done: it is tried again.',
  },
  'KUBE-103': {
    title: 'The API server refuses',
    explanation: 'A certificate is not accepted, or a policy forbids it.',
    remedy: 'Look whether an admission policy forbids it, and whether the clocks agree.',
  },
  'KUBE-104': {
    title: 'The API server does not accept a request',
    explanation: 'What was sent is not valid there. This is a mistake of Remuda.',
    remedy: 'Please report it with the message.',
  },
  'KUBE-105': {
    title: 'The API server does not serve this kind yet',
    explanation: 'The kind is served by something that is still starting.',
    remedy: 'Nothing is to be done: it is tried again.',
  },
  'ETCD-101': {
    title: 'etcd answered with an error',
    explanation: 'The message has its words.',
    remedy: 'Look at etcd on that machine; it is tried again.',
  },
  'ETCD-102': {
    title: 'etcd has no leader',
    explanation: 'An election takes a second or two; without a majority there is none.',
    remedy: 'Nothing is to be done if it passes; otherwise bring back the machines that do not answer.',
  },
  'ETCD-103': {
    title: 'No etcd answers',
    explanation: 'Every machine with a member was asked; the message tells what each said.',
    remedy: 'Bring one of them back; it is tried again.',
  },
  'ETCD-104': {
    title: 'A member is not removed',
    explanation: 'What would remain has no majority of healthy voters.',
    remedy: 'Bring back who the message names, or add another first; the removal goes on by itself.',
  },
  'ETCD-105': {
    title: 'A snapshot of etcd is of no use',
    explanation:
      'It broke off, or its content does not have the checksum that etcd puts at its end. Nothing was kept of it.',
    remedy: 'It is taken again. If that goes on, look at the disk of the machine.',
  },
  'ETCD-106': {
    title: 'A member is not added',
    explanation: 'Too few of the voters that are there answer: one more change could cost their majority.',
    remedy: 'Bring the machines back that the message names; the addition goes on by itself.',
  },
};

/** Every code of the agent and its adapters. Stable; none is ever given a new meaning. */
export const agentCodes: ProblemCatalogue = {
  ...processCodes,
  ...secretCodes,
  ...machineCodes,
  ...clusterCodes,
};
