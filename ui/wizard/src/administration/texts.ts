import type { Role } from '../../../../daemon/api/types.ts';

/** English of the pages for those who look after this Remuda. */
export const texts = {
  title: 'Administration',
  parts: {
    people: 'People',
    programs: 'Service accounts',
    directories: 'Directories',
    policies: 'Policies',
    audit: 'Audit',
  },
  cancel: 'Cancel',
  copied: 'Copied',
  copy: 'Copy',
  done: 'Done',
  never: 'never',
  role: 'Role',
  shownOnce: 'This is shown once. Keep it somewhere safe, or hand it over now.',
  roles: {
    admin: 'Everything, people and policies too.',
    operator: 'Makes, changes and deletes clusters.',
    viewer: 'Sees everything, changes nothing.',
    user: 'Only the clusters in which a role is given.',
  } satisfies Record<Role, string>,
} as const;

/** People and what can be done about them. */
export const peopleTexts = {
  intro: 'Who may sign in here, and as what. Roles in single clusters are given on the page of the cluster.',
  add: 'Add a person',
  name: 'Name',
  nameHelp: 'Lower-case letters, digits, dots and dashes: for example maria.',
  you: 'you',
  columns: {
    name: 'Name',
    source: 'Known by',
    role: 'Role',
    factor: 'Second factor',
    signIn: 'Last sign-in',
  },
  local: 'This Remuda',
  factorOn: 'On',
  factorOff: 'Off',
  states: { active: 'Active', invited: 'Invited', disabled: 'Disabled' },
  invitedUntil: 'until',
  actions: (name: string) => `What can be done about ${name}`,
  changeRole: 'Change the role…',
  invite: 'Invite anew…',
  disable: 'Disable…',
  enable: 'Enable…',
  endSessions: 'End all sessions…',
  remove: 'Remove…',
  lastAdministrator: 'The last administrator who can sign in: make somebody else one first.',
  roleOfDirectory: 'The role comes from the directory’s groups.',
  passwordOfDirectory: 'The password is the directory’s.',
  invitation: (name: string) => `Invitation for ${name}`,
  invitationNext:
    'At the sign-in page she chooses “I have an invitation”, types this code, and picks a password.',
  invitationEnds: 'It works once, until',
  questions: {
    role: {
      title: (name: string) => `Role of ${name}`,
      body: 'Her sessions end; she signs in again with the new role.',
      action: 'Change the role',
    },
    invite: {
      title: (name: string) => `Invite ${name} anew?`,
      body: 'For a forgotten password. The present password stays good until the invitation is used; then the second factor is removed and all sessions end.',
      action: 'Make an invitation',
    },
    disable: {
      title: (name: string) => `Disable ${name}?`,
      body: 'Sessions and tokens stop working at once. Roles and grants are kept, and come back when she is enabled again.',
      action: 'Disable',
    },
    enable: {
      title: (name: string) => `Enable ${name}?`,
      body: 'She can sign in again, with the roles and grants that she had.',
      action: 'Enable',
    },
    endSessions: {
      title: (name: string) => `End all sessions of ${name}?`,
      body: 'She is signed out everywhere at once, and may sign in again.',
      action: 'End all sessions',
    },
    remove: {
      title: (name: string) => `Remove ${name}?`,
      body: 'Sessions, tokens and grants go at once and cannot be had back. What she did stays in the audit trail.',
      action: 'Remove',
    },
  },
  self: 'This is you: you will be signed out.',
} as const;

/** Accounts of programs and their tokens. */
export const programTexts = {
  intro: 'Accounts for pipelines and other programs. Each gets in with tokens that expire.',
  add: 'Add a service account',
  emptyTitle: 'No service accounts yet',
  emptyBody: 'Give a pipeline an account of its own, so that its rights and its traces are its own too.',
  name: 'Name',
  nameHelp: 'Lower-case letters, digits and dashes: for example ci.',
  columns: { name: 'Name', role: 'Role', tokens: 'Valid tokens', used: 'Last used', made: 'Made' },
  tokens: (name: string) => `Tokens of ${name}`,
  tokenColumns: { name: 'Token', scope: 'Good for', expires: 'Ends', used: 'Last used' },
  noTokens: 'No valid token: this program cannot get in.',
  newToken: 'New token…',
  newTokenFor: (name: string) => `New token for ${name}`,
  days: 'Days',
  daysHelp: 'It ends by itself after that many days; 366 is the most.',
  clusters: 'Clusters',
  clustersHelp: 'Names with commas. Empty: everything that the account may do.',
  everywhere: 'all that the account may',
  readOnly: 'It may only read',
  reading: 'reading only',
  doesNotEnd: 'does not end',
  issue: 'Make the token',
  revoke: 'Revoke',
  revokeOf: (name: string) => `Revoke ${name}`,
  remove: 'Remove…',
  removeOf: (name: string) => `Remove ${name}…`,
  question: {
    title: (name: string) => `Remove ${name}?`,
    body: 'Its tokens stop working at once, and its grants go. Programs that use them are locked out.',
    action: 'Remove',
  },
} as const;

/** LDAP directories. */
export const directoryTexts = {
  intro:
    'LDAP directories by which people sign in. Settings are kept in a file and set with the command line:',
  command: 'remuda directory set NAME -f directory.yaml',
  emptyTitle: 'No directory is set',
  emptyBody: 'People sign in with the accounts of this Remuda. A directory is added with the command line:',
  columns: { title: 'Directory', server: 'Server', roles: 'Groups with a role', changed: 'Set' },
  kinds: { ldap: 'LDAP', activeDirectory: 'Active Directory' },
  admits: { mapped: 'admits these groups only', everyone: 'admits everyone as user' },
  by: 'by',
  test: 'Test the connection',
  testOf: (title: string) => `Test the connection to ${title}`,
  works: (title: string) => `${title}: people can sign in.`,
} as const;

/** What clusters may be like. */
export const policyTexts = {
  intro: 'What clusters may be like. Every plan is held against these. Policies are applied as documents:',
  command: 'remuda apply -f policy.yaml',
  emptyTitle: 'No policy is in force',
  emptyBody: 'Every cluster that can be made may be made. A policy is applied with the command line:',
  actions: { Warn: 'Warns', Deny: 'Refuses' },
  sources: { shipped: 'came with Remuda', applied: 'applied here' },
  holds: 'Holds for',
  all: 'all clusters',
  operations: { CREATE: 'made', UPDATE: 'changed', DELETE: 'deleted' },
  when: (operations: readonly string[]) => `when they are ${operations.join(' or ')}`,
  ifDeleted: 'if it were deleted',
  verdicts: 'Today’s clusters',
  noClusters: 'There is no cluster to try it on.',
  allPass: (count: number) => (count === 1 ? 'The one cluster keeps it.' : `All ${count} clusters keep it.`),
  breaks: (broken: number, count: number) =>
    `${broken} of ${count} ${count === 1 ? 'cluster' : 'clusters'} ${broken === 1 ? 'breaks' : 'break'} it:`,
} as const;

/** Who did what. */
export const auditTexts = {
  intro:
    'Who did what here, newest first. Each row holds the hash of the one before, so that none can be changed unseen.',
  emptyTitle: 'Nothing has been done yet',
  emptyBody: 'Whatever people and programs do here is written down on this page.',
  whole: (rows: number) =>
    `The trail is whole: ${rows.toLocaleString('en-GB')} rows, each fits the one before.`,
  broken: 'The trail was changed or damaged.',
  brokenAt: (number: number) =>
    `Row ${number} does not fit the one before it. Compare with what the receivers have.`,
  head: 'Its head, to keep elsewhere and hold the trail against later (remuda audit verify --against):',
  headLabel: 'Number and hash of the newest row',
  again: 'Look again',
  rows: 'Rows',
  range: (first: number, last: number, all: number) => `Rows ${first} to ${last} of ${all}`,
  newer: 'Newer',
  older: 'Older',
  columns: {
    number: 'No.',
    at: 'When',
    principal: 'Who',
    verb: 'Did',
    object: 'To what',
    outcome: 'Outcome',
    detail: 'More',
  },
  outcomes: { allowed: 'Allowed', refused: 'Refused', failed: 'Failed' },
  receivers: 'Receivers',
  receiversIntro: 'Syslog servers and webhooks that get every row. They are set with the command line:',
  command: 'remuda audit receiver set NAME -f receiver.yaml',
  receiverColumns: {
    name: 'Name',
    server: 'Server',
    lag: 'Waiting',
    position: 'Has rows to',
    delivered: 'Last delivery',
  },
  noReceivers: 'The trail goes nowhere else yet. Whoever takes over this machine could rewrite it unseen.',
  upToDate: 'up to date',
  waiting: (rows: number) => `${rows.toLocaleString('en-GB')} ${rows === 1 ? 'row waits' : 'rows wait'}`,
} as const;
