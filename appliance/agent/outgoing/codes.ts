import type { ProblemCatalogue } from '../../../provisioners/contract/problem.ts';

/** What may go wrong with servers that an administrator named: directories and receivers of the audit trail. */
export const outgoingCodes: ProblemCatalogue = {
  'OUTGOING-001': {
    title: 'A name is not known',
    explanation:
      'The name servers of the machine on which the agent runs do not know the host of the address.',
    remedy: 'Check the name, and the name servers of that machine.',
  },
  'OUTGOING-002': {
    title: 'An address that Remuda does not connect to',
    explanation:
      'The host is, or its name leads to, the machine itself, a link-local address or a metadata service of a cloud, from which keys could be taken.',
    remedy: 'Give the address of the server that is meant.',
  },
  'OUTGOING-003': {
    title: 'A server cannot be reached',
    explanation: 'Nothing listens at the address, there is no way to it, or it does not answer in time.',
    remedy: 'Check the address, the network between the agent and it, and whether it runs.',
  },
  'OUTGOING-004': {
    title: 'A server does not prove who it is',
    explanation:
      'Its certificate is not signed by the authority that was given, has expired, or has another name than the address. Nothing was said to it.',
    remedy: 'Give the certificate of the authority that signed it, and a host name that stands in it.',
  },
  'AUDIT-001': {
    title: 'Not the address of a receiver',
    explanation: 'Syslog is tls://host:port or tcp://host:port, a webhook https://host/path.',
    remedy: 'Correct the address of the receiver.',
  },
  'AUDIT-002': {
    title: 'The receiver did not take the rows',
    explanation:
      'A webhook answered with another status than 2xx (redirections are not followed), or a syslog server did not close the connection after ours was closed, which is how it is known that it has read everything.',
    remedy: 'Look into the log of the receiver. The rows are sent again until they are taken.',
  },
  'AUDIT-003': {
    title: 'The secret of a webhook has no key',
    explanation:
      'What goes to a webhook is signed with the key hmac of its secret, which is missing or empty.',
    remedy: 'Give it anew with `remuda secret set`, with the key hmac.',
  },
  'ALERT-001': {
    title: 'Not the address of a receiver of alerts',
    explanation: 'Alerts go to a webhook: https://host/path, without a user or a password.',
    remedy: 'Correct the address of the receiver.',
  },
  'ALERT-002': {
    title: 'The receiver did not take the alerts',
    explanation: 'The webhook answered with another status than 2xx. Redirections are not followed.',
    remedy: 'Look into the log of the receiver. The alerts are sent again until they are taken.',
  },
  'ALERT-003': {
    title: 'The secret of a webhook for alerts has no key',
    explanation:
      'What goes to a webhook is signed with the key hmac of its secret, which is missing or empty.',
    remedy: 'Give it anew with `remuda secret set`, with the key hmac.',
  },
  'DIRECTORY-001': {
    title: 'Not the address of a directory',
    explanation: 'An address is ldaps://host:port, or ldap://host:port, which is used with StartTLS only.',
    remedy: 'Write ldaps://host:636, or ldap://host:389 for StartTLS.',
  },
  'DIRECTORY-002': {
    title: 'Not an LDAP filter',
    explanation: 'Filters are written as RFC 4515 says.',
    remedy: 'Write for example (objectClass=person).',
  },
  'DIRECTORY-003': {
    title: 'The directory has no such entry',
    explanation: 'The base under which people or groups are searched does not exist, or may not be seen.',
    remedy: 'Give the DN under which they stand; see that the account that searches may read it.',
  },
  'DIRECTORY-004': {
    title: 'The directory went away',
    explanation: 'It closed the connection, or did not answer in time. Nobody was let in or refused by it.',
    remedy: 'Local accounts work meanwhile. Check the directory.',
  },
  'DIRECTORY-005': {
    title: 'The directory refuses a question',
    explanation: 'It answered with an error. What it said is not repeated here.',
    remedy:
      'Look whether the account that searches may read people and groups; the log of the directory has the rest.',
  },
  'DIRECTORY-006': {
    title: 'The directory knows no StartTLS',
    explanation: 'Remuda says nothing over a connection that is not protected.',
    remedy: 'Give its ldaps:// address, or set up certificates on the directory.',
  },
  'DIRECTORY-007': {
    title: "The directory's secret has no password",
    explanation: 'The secret is there, but not its key password.',
    remedy: 'Give it anew with `remuda secret set`, with the key password.',
  },
  'DIRECTORY-008': {
    title: 'The directory does not let the searching account in',
    explanation: 'DN or password of the account are wrong, or it is locked.',
    remedy: 'Mend the account in the directory, or give its password anew with `remuda secret set`.',
  },
  'DIRECTORY-009': {
    title: 'The directory shows nobody',
    explanation: 'The base is there, and the filter lets nobody through.',
    remedy: 'Check base and filter of people, and whether the account that searches may read them.',
  },
};
