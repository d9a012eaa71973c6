import { FormGroup, Radio } from '@patternfly/react-core';
import { type Path, valueAt } from '../../answer-file/stream.ts';
import { useAnswer } from '../answer.ts';
import { Field, FieldProblems } from '../field.tsx';
import { FormSection } from '../form-section.tsx';
import { SecretField } from '../secret-field.tsx';
import { texts } from '../texts.ts';

const words = {
  intro:
    'Every part of a cluster shows a certificate, and believes those that the cluster’s own authorities have signed. Those authorities can hang on one of yours. Fixed when the cluster is made.',
  which: 'Authority',
  selfSigned: 'The cluster’s own',
  selfSignedHelp: 'Three authorities that sign themselves. Right for almost everybody.',
  given: 'An intermediate authority that I give',
  givenHelp:
    'Your certificate and its key sign the cluster’s authorities once, in the memory of the agent. They go to no machine.',
  server: 'A Vault or OpenBao server',
  serverHelp: 'It is asked once to sign the cluster’s authorities. Its key never leaves it.',
  checked: {
    given:
      'The key and every certificate of the chain are checked when the plan is made, before any machine exists.',
    server:
      'Address, credentials and every certificate of the chain are checked when the plan is made, before any machine exists.',
  },
  secretOfGiven:
    '`tls.crt` is the authority’s certificate, followed by those that signed it; `tls.key` is its key, without a passphrase.',
  secretOfServer: '`token` may do one thing alone: `update` on `<path>/root/sign-intermediate`.',
  trusted:
    'PEM of the only authorities that are believed when the server says who it is. Leave it empty where a public one signed.',
} as const;

const section = ['spec', 'certificates'] as const;
const path: Path = [...section, 'authority'];

type Kind = 'selfSigned' | 'given' | 'server';

/** What a section holds when it is chosen; what is missing is said by the daemon. */
const beginnings: Readonly<Record<Exclude<Kind, 'selfSigned'>, object>> = {
  given: { type: 'given', given: { credentials: {} } },
  server: { type: 'server', server: { url: '', credentials: {} } },
};

/** Who signs the authorities of the cluster (row H12). */
export function AuthoritySection(): React.JSX.Element {
  const answer = useAnswer();
  const type = valueAt(answer.documentOf('Cluster')?.value, [...path, 'type']) ?? 'selfSigned';
  const choice = (kind: Kind): React.JSX.Element => (
    <Radio
      id={`authority-${kind}`}
      name="authority"
      label={words[kind]}
      description={words[`${kind}Help`]}
      isChecked={type === kind}
      onChange={() =>
        kind === 'selfSigned'
          ? answer.write('Cluster', section, undefined)
          : answer.write('Cluster', path, beginnings[kind])
      }
    />
  );
  return (
    <FormSection id="certificates" title={texts.sections.certificates} intro={words.intro}>
      <FormGroup label={words.which} role="radiogroup" fieldId="authority" isStack>
        {choice('selfSigned')}
        {choice('given')}
        {choice('server')}
        <FieldProblems kind="Cluster" path={[...path, 'type']} />
      </FormGroup>
      {type === 'given' ? <Given /> : undefined}
      {type === 'server' ? <Server /> : undefined}
    </FormSection>
  );
}

function Given(): React.JSX.Element {
  return (
    <>
      <SecretField
        path={[...path, 'given', 'credentials']}
        values={['tls.crt', 'tls.key']}
        help={words.secretOfGiven}
      />
      <FieldProblems kind="Cluster" path={[...path, 'given']} />
      <p className="remuda-subtle">{words.checked.given}</p>
    </>
  );
}

function Server(): React.JSX.Element {
  const server: Path = [...path, 'server'];
  return (
    <>
      <div className="remuda-pair">
        <Field kind="Cluster" path={[...server, 'url']} />
        <Field kind="Cluster" path={[...server, 'mount']} />
      </div>
      <SecretField path={[...server, 'credentials']} values={['token']} help={words.secretOfServer} />
      <Field kind="Cluster" path={[...server, 'trusted']} lines={4} help={words.trusted} />
      <FieldProblems kind="Cluster" path={server} />
      <p className="remuda-subtle">{words.checked.server}</p>
    </>
  );
}
