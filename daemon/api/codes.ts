import type { ProblemCatalogue } from '../../provisioners/contract/problem.ts';

/** Every problem code of the daemon's own door: access, API, start. Stable; none is ever given a new meaning. */
export const doorCodes: ProblemCatalogue = {
  'ACCESS-001': {
    title: 'No valid token or session',
    explanation:
      'The request has no token and no session, or one that is unknown, revoked, ended or expired; which of them is not told.',
    remedy: 'Sign in again; with a token: `remuda login`, or set REMUDA_TOKEN.',
  },
  'ACCESS-002': {
    title: 'Not allowed',
    explanation: 'It is known who asks, and her role, here or in this cluster, may not do this.',
    remedy: 'Ask an administrator, of the server or of the cluster, for the role that the message names.',
  },
  'ACCESS-004': {
    title: 'The name of the token is taken',
    explanation: 'Tokens are revoked by name, so two that are valid may not share one.',
    remedy: 'Choose another name, or revoke the old token first.',
  },
  'ACCESS-005': {
    title: 'The name of the service account is taken',
    explanation: 'Service accounts are named in audit rows and operations, so no two share a name.',
    remedy: 'Choose another name.',
  },
  'ACCESS-006': {
    title: 'Not a certificate request',
    explanation: 'What an agent sent is not PKCS#10 in PEM, or it is not signed by its own key.',
    remedy: 'Enrol with the agent of this release.',
  },
  'ACCESS-007': {
    title: 'Name or password is not right',
    explanation:
      'Unknown names, wrong passwords and people who may not come in get the same answer: nothing is learned by trying.',
    remedy:
      'Type them again. Forgotten: an administrator sends a new invitation (`remuda user invite NAME`).',
  },
  'ACCESS-008': {
    title: 'A second factor is needed',
    explanation:
      'The password is right, and this account has a second factor. A one-time code is taken once only.',
    remedy:
      'Give the code of the authenticator, or a recovery code. Both lost: an administrator sends a new invitation.',
  },
  'ACCESS-009': {
    title: 'Too many tries',
    explanation:
      'Tries are limited for each address, and for each account from browsers it is not known in. A browser in which one was signed in before is not held up by the tries of others.',
    remedy: 'Wait as long as the answer says (header Retry-After).',
  },
  'ACCESS-010': {
    title: 'The server was claimed already',
    explanation:
      'The set-up code makes the first administrator and works once. The answer says when that was.',
    remedy: 'If it was none of yours, stop the server, and see "Locked out" in the manual on access.',
  },
  'ACCESS-011': {
    title: 'Not the set-up code',
    explanation: 'Few tries a minute are taken in all, from everybody together.',
    remedy: '`scripts/up` prints the code. On the server, `remuda setup-code` makes a new one.',
  },
  'ACCESS-012': {
    title: 'The change did not come from a page of this server',
    explanation:
      'A browser sends its cookie along with what pages of others ask of it. So a change by cookie needs the value of the session in a header, and our own origin.',
    remedy: 'Reload the page. Programs use a token.',
  },
  'ACCESS-013': {
    title: 'The last administrator',
    explanation: 'Nobody local would be left who may do everything, and a directory may be away.',
    remedy: 'Make somebody else a local administrator first, and let her sign in once.',
  },
  'ACCESS-014': {
    title: 'The name of the user is taken',
    explanation: 'People are named in audit rows and operations, so no two share a name.',
    remedy: 'Choose another name, or change that user.',
  },
  'ACCESS-015': {
    title: 'The directory has the say',
    explanation: 'People of a directory have their password and global role from there.',
    remedy: 'Change it there, or grant a role in a cluster.',
  },
  'ACCESS-016': {
    title: 'Not a valid invitation',
    explanation:
      'It is unknown, used or expired; which of them is not told. An invitation works once, for three days.',
    remedy: 'Ask an administrator for a new one.',
  },
  'ACCESS-017': {
    title: 'Only in a browser',
    explanation: 'This is about the session of a browser, and the request came with a token.',
    remedy: 'Sign in with name and password.',
  },
  'ACCESS-018': {
    title: 'The credential was revoked',
    explanation: 'Somebody took it back, so no certificate is signed for it any more.',
    remedy: 'Take new credentials; if an administrator revoked them, ask her.',
  },
  'ACCESS-019': {
    title: 'Not a role for this',
    explanation: 'Roles in a cluster are given by its administrators, and nobody gives more than she has.',
    remedy: 'Ask an administrator of the server.',
  },
  'ACCESS-020': {
    title: 'There is a second factor already',
    explanation: 'A second one would leave nobody sure which of them counts.',
    remedy: 'Remove the one there is, then set up the new one.',
  },
  'ACCESS-021': {
    title: 'Somebody changed the draft',
    explanation: 'The draft is another than the one that was read, or is gone.',
    remedy: 'Read it again and repeat the change on that.',
  },
  'ACCESS-022': {
    title: 'A draft keeps no secrets',
    explanation: 'Drafts may be shared, and lie there for long.',
    remedy:
      'Give the secret by its own form, or with `remuda secret set`, and take its document out of the text.',
  },
  'ACCESS-023': {
    title: 'Too many drafts',
    explanation: 'Each person keeps a hundred at most.',
    remedy: 'Delete those that are no longer needed.',
  },
  'ACCESS-024': {
    title: "Somebody else's draft",
    explanation: 'Who may change a shared draft may not delete it.',
    remedy: 'Ask whoever made it.',
  },
  'API-001': {
    title: 'A part of the request has the wrong shape',
    explanation:
      'Query or body do not match the schema of the route. Values are not repeated: they may be secret.',
    remedy: 'Compare with /api/v1/openapi.json.',
  },
  'API-002': {
    title: 'The request cannot be read',
    explanation: 'The body is not JSON, or a header or cursor is malformed.',
    remedy: 'Compare with /api/v1/openapi.json.',
  },
  'API-003': {
    title: 'The body is too large',
    explanation: 'Bodies are bounded, so that one client cannot fill the memory of all.',
    remedy: 'Split the answer file.',
  },
  'API-004': {
    title: 'No such address',
    explanation: 'Nothing answers at this path.',
    remedy: 'See /api/v1/openapi.json for the paths there are.',
  },
  'API-005': {
    title: 'The address does not take this method',
    explanation: 'The path is known, with other methods.',
    remedy: 'See the header Allow of the answer.',
  },
  'API-006': {
    title: 'No such thing',
    explanation: 'There is nothing of that kind with this name.',
    remedy: 'List what there is with `remuda get`.',
  },
  'START-001': {
    title: 'No state folder',
    explanation: 'The daemon must know where to remember things.',
    remedy: 'Start it with --state DIR.',
  },
  'START-002': {
    title: 'The daemon does not run as root',
    explanation: 'It faces the web and needs no rights of root; whoever breaks in must not find them.',
    remedy: 'Start it as a user of its own, as scripts/up does.',
  },
  'START-003': {
    title: 'Not an address to listen on',
    explanation: 'An address is a host and a port.',
    remedy: 'Write 127.0.0.1:8443 or [::1]:8443.',
  },
  'START-004': {
    title: 'No pause between two looks',
    explanation:
      'Each look asks every master of a cluster, so there is a pause between two of whole seconds.',
    remedy: 'Write --health-every with 1 to 3600 seconds; 30 when nothing is said.',
  },
  'BUG-001': {
    title: 'A mistake of Remuda',
    explanation:
      'Something happened that should not. The state before was kept, and the log names the cause beside the reference.',
    remedy: 'Try again or resume; if it fails again, report it with the reference.',
  },
};
