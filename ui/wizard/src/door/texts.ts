/** English of the door: set up and sign in. */
export const texts = {
  slogan: 'Kubernetes clusters, made and looked after.',
  claim: {
    title: 'Set up Remuda',
    intro: 'You are the first one here. Prove that this is your machine, and become its first administrator.',
    code: 'Set-up code',
    codeHelp: 'Printed by scripts/up where Remuda was started. Capitals and dashes do not matter.',
    name: 'Your name',
    nameHelp: 'Lower-case letters, digits, dots and dashes: for example maria.',
    password: 'Password',
    passwordHelp: 'At least 15 characters. A sentence is easier to keep than a puzzle.',
    short: (missing: number) => `${missing} more ${missing === 1 ? 'character' : 'characters'} to go.`,
    submit: 'Set up and sign in',
    late: 'Somebody has set up this Remuda already',
    lateWhen: 'It was claimed on',
    lateBody:
      'If that was not you or a colleague, somebody else holds this machine: take it off the network and look at its audit log.',
    goOn: 'Go to sign-in',
  },
  signIn: {
    title: 'Sign in',
    name: 'Name',
    password: 'Password',
    directory: 'Who knows you',
    local: 'This Remuda',
    submit: 'Sign in',
    code: 'One-time code',
    codeHelp: 'Six digits from your authenticator, or one of your recovery codes.',
    codeSubmit: 'Verify',
    back: 'Use another name',
    retry: (seconds: number) => `Too many attempts. Try again in ${seconds} s.`,
  },
  fingerprint: 'Fingerprint of this server’s authority',
  fingerprintHelp:
    'Compare it with what scripts/up printed: if they are the same, nobody stands between you and Remuda.',
} as const;
