import { Button, ExpandableSection, FormGroup, Radio } from '@patternfly/react-core';
import { TrashIcon } from '@patternfly/react-icons';
import { isSection, type Path, valueAt } from '../../answer-file/stream.ts';
import { useAnswer } from '../answer.ts';
import { Field, FieldProblems } from '../field.tsx';
import { SecretField } from '../secret-field.tsx';
import { hookTexts as words } from './hook-texts.ts';

const ways = ['machine', 'job', 'webhook'] as const;
type Way = (typeof ways)[number];

/** What a section holds when it is chosen; what is missing is said by the daemon. */
const beginnings: Readonly<Record<Way, object>> = {
  machine: { script: '' },
  job: { image: '', command: [] },
  webhook: { url: '', credentials: {} },
};

/** A new hook: its script is the first thing to be written. */
export const newHook = (name: string): object => ({
  name,
  at: 'beforeDrain',
  run: { machine: beginnings.machine },
});

/** One hook: when, what runs, and what becomes of it. */
export function HookForm(props: {
  readonly path: Path;
  readonly name: string;
  readonly onRemove: () => void;
}): React.JSX.Element {
  const { path, name, onRemove } = props;
  return (
    <fieldset className="remuda-group remuda-hook" aria-label={words.group(name)}>
      <Field kind="Cluster" path={[...path, 'name']} label={words.name} help={words.nameHelp} />
      <Button
        variant="plain"
        aria-label={words.remove(name)}
        icon={<TrashIcon />}
        onClick={onRemove}
        className="remuda-group-remove"
      />
      <div className="remuda-hook-rest">
        <Field kind="Cluster" path={[...path, 'at']} label={words.at} names={words.points} isHelpHidden />
        <WhatRuns path={[...path, 'run']} />
        <div className="remuda-pair">
          <Field kind="Cluster" path={[...path, 'timeout']} label={words.timeout} help={words.timeoutHelp} />
          <Field
            kind="Cluster"
            path={[...path, 'onFailure']}
            label={words.onFailure}
            names={words.failures}
            help={words.failuresHelp}
          />
        </div>
        <ExpandableSection toggleText={words.more} isIndented>
          <Where path={path} />
        </ExpandableSection>
        <FieldProblems kind="Cluster" path={[...path, 'for']} />
      </div>
    </fieldset>
  );
}

function WhatRuns({ path }: { readonly path: Path }): React.JSX.Element {
  const answer = useAnswer();
  const run = valueAt(answer.documentOf('Cluster')?.value, path);
  const present = ways.find((way) => valueAt(run, [way]) !== undefined);
  const id = path.join('-');
  const forms: Readonly<Record<Way, React.JSX.Element>> = {
    machine: (
      <Field
        kind="Cluster"
        path={[...path, 'machine', 'script']}
        label={words.script}
        help={words.scriptHelp}
        lines={6}
      />
    ),
    job: <Job path={[...path, 'job']} />,
    webhook: <Webhook path={[...path, 'webhook']} />,
  };
  return (
    <>
      <FormGroup label={words.way} role="radiogroup" fieldId={id} isStack>
        {ways.map((way) => (
          <Radio
            key={way}
            id={`${id}-${way}`}
            name={id}
            label={words.ways[way]}
            description={words.wayHelp[way]}
            isChecked={present === way}
            onChange={() => answer.write('Cluster', path, { [way]: beginnings[way] })}
          />
        ))}
        <FieldProblems kind="Cluster" path={path} />
      </FormGroup>
      {present === undefined ? undefined : forms[present]}
    </>
  );
}

function Job({ path }: { readonly path: Path }): React.JSX.Element {
  return (
    <>
      <Field kind="Cluster" path={[...path, 'image']} label={words.image} />
      <Field
        kind="Cluster"
        path={[...path, 'command']}
        label={words.command}
        help={words.commandHelp}
        lines={3}
      />
      <div className="remuda-pair">
        <Field kind="Cluster" path={[...path, 'namespace']} label={words.namespace} />
        <Field kind="Cluster" path={[...path, 'serviceAccount']} label={words.serviceAccount} />
      </div>
    </>
  );
}

function Webhook({ path }: { readonly path: Path }): React.JSX.Element {
  return (
    <>
      <Field kind="Cluster" path={[...path, 'url']} label={words.url} />
      <SecretField path={[...path, 'credentials']} values={['hmac']} help={words.secretHelp} />
      <Field
        kind="Cluster"
        path={[...path, 'authority']}
        label={words.authority}
        help={words.authorityHelp}
        lines={4}
      />
    </>
  );
}

/** Operations and machines that it is for. */
function Where({ path }: { readonly path: Path }): React.JSX.Element {
  const answer = useAnswer();
  const workers = valueAt(answer.documentOf('Cluster')?.value, ['spec', 'workers']);
  const groups = Array.isArray(workers)
    ? workers.filter(isSection).map(({ name }) => String(name ?? ''))
    : [];
  return (
    <div className="remuda-stack">
      <Field
        kind="Cluster"
        path={[...path, 'operations']}
        label={words.operations}
        names={words.operationNames}
        help={words.operationsHelp}
      />
      <Field
        kind="Cluster"
        path={[...path, 'for', 'roles']}
        label={words.roles}
        names={words.roleNames}
        help={words.all}
      />
      <Field
        kind="Cluster"
        path={[...path, 'for', 'groups']}
        label={words.groups}
        choices={groups}
        help={words.all}
      />
    </div>
  );
}
