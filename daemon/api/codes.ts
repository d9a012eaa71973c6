import type { ProblemCatalogue } from '../../provisioners/contract/problem.ts';

/** Every problem code of the daemon's own door: access, API, start. Stable; none is ever given a new meaning. */
export const doorCodes: ProblemCatalogue = {
  'ACCESS-001': {
    title: 'No valid token',
    explanation:
      'The request has no token, or one that is unknown, revoked or expired; which of them is not told.',
    remedy: 'Run `remuda login`, or set REMUDA_TOKEN. A new token: `remuda token create NAME --role ROLE`.',
  },
  'ACCESS-002': {
    title: 'Not allowed',
    explanation: 'The token is good, and its role may not do this.',
    remedy: 'Use a token with the role that the message names.',
  },
  'ACCESS-004': {
    title: 'The name of the token is taken',
    explanation: 'Tokens are revoked by name, so two that are valid may not share one.',
    remedy: 'Choose another name, or revoke the old token first.',
  },
  'ACCESS-006': {
    title: 'Not a certificate request',
    explanation: 'What an agent sent is not PKCS#10 in PEM, or it is not signed by its own key.',
    remedy: 'Enrol with the agent of this release.',
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
  'BUG-001': {
    title: 'A mistake of Remuda',
    explanation:
      'Something happened that should not. The state before was kept, and the log names the cause beside the reference.',
    remedy: 'Try again or resume; if it fails again, report it with the reference.',
  },
};
