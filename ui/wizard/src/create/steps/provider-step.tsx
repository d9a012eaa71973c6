import { Alert, Card, CardBody, CardHeader, CardTitle, Form } from '@patternfly/react-core';
import type { ProviderView } from '../../../../../daemon/api/types.ts';
import { prependDocument, removeDocument } from '../../answer-file/documents.ts';
import { setValue } from '../../answer-file/patch.ts';
import { readAnswerFile, valueAt } from '../../answer-file/stream.ts';
import { useProviders } from '../../api/queries.ts';
import { type Answer, useAnswer } from '../answer.ts';
import { Field } from '../field.tsx';

const words = {
  existing: 'Use a provider that is there',
  fresh: 'Embedded lab',
  freshBody:
    'Real machines as containers on this box, each with a network of its own. For trying out and for tests.',
  freshName: (name: string) => `A new provider, “${name}”`,
  later: 'Hosts you have, vSphere, EC2 and bare metal come with later versions.',
  uses: (clusters: number) => `${clusters} ${clusters === 1 ? 'cluster uses' : 'clusters use'} it`,
  shared: 'This provider is there already and stays as it is.',
} as const;

/** A choice among providers: those there are, and a new one that comes with the file. */
export function ProviderStep(): React.JSX.Element {
  const answer = useAnswer();
  const { data: known = [] } = useProviders();
  const chosen = valueAt(answer.documentOf('Cluster')?.value, ['spec', 'provider']);
  const own = answer.documentOf('Provider');
  const isOwn = own !== undefined && own.name === chosen;
  const others = known.filter(({ name }) => name !== own?.name);
  return (
    <>
      <div className="remuda-choices" role="radiogroup" aria-label="Provider">
        <Choice
          id="provider-new"
          title={words.fresh}
          body={words.freshBody}
          isChosen={isOwn}
          onChoose={() => takeOwn(answer, known)}
        />
        {others.map((provider) => (
          <Choice
            key={provider.name}
            id={`provider-${provider.name}`}
            title={provider.name}
            body={`${provider.type} · ${words.uses(provider.clusters.length)}`}
            isChosen={!isOwn && chosen === provider.name}
            onChoose={() => takeKnown(answer, provider.name)}
          />
        ))}
      </div>
      <p className="remuda-later">{words.later}</p>
      {isOwn ? <OwnProvider /> : <SharedProvider name={chosen} />}
    </>
  );
}

function Choice(props: {
  readonly id: string;
  readonly title: string;
  readonly body: string;
  readonly isChosen: boolean;
  readonly onChoose: () => void;
}): React.JSX.Element {
  const { id, onChoose } = props;
  return (
    <Card id={id} isSelectable isSelected={props.isChosen} isCompact>
      <CardHeader
        selectableActions={{
          selectableActionId: `${id}-choice`,
          selectableActionAriaLabelledby: `${id}-title`,
          name: 'provider',
          variant: 'single',
          isChecked: props.isChosen,
          onChange: onChoose,
        }}
      >
        <CardTitle id={`${id}-title`}>{props.title}</CardTitle>
      </CardHeader>
      <CardBody>{props.body}</CardBody>
    </Card>
  );
}

function OwnProvider(): React.JSX.Element {
  return (
    <Form>
      <Field kind="Provider" path={['metadata', 'name']} />
      <Field kind="Provider" path={['spec', 'lab', 'subnet']} />
      <div className="remuda-pair">
        <Field kind="Provider" path={['spec', 'lab', 'cpus']} />
        <Field kind="Provider" path={['spec', 'lab', 'memory']} />
      </div>
    </Form>
  );
}

function SharedProvider({ name }: { readonly name: unknown }): React.JSX.Element | undefined {
  if (typeof name !== 'string' || name === '') return undefined;
  return <Alert component="p" isInline isPlain variant="info" title={`${name}: ${words.shared}`} />;
}

/** A provider document comes in front of the cluster, under a name that nobody has. */
function takeOwn(answer: Answer, known: readonly ProviderView[]): void {
  const own = answer.documentOf('Provider');
  const taken = new Set(known.map(({ name }) => name));
  let free = 'lab';
  for (let number = 2; taken.has(free); number += 1) free = `lab-${number}`;
  const name = own?.name ?? free;
  const text =
    own === undefined
      ? prependDocument(answer.text, {
          apiVersion: 'remuda.dev/v1alpha1',
          kind: 'Provider',
          metadata: { name },
          spec: { type: 'lab', lab: {} },
        })
      : answer.text;
  answer.setText(referTo(text, name));
}

/** A provider of the store: a document of our own is no longer needed. */
function takeKnown(answer: Answer, name: string): void {
  const own = answer.documentOf('Provider');
  answer.setText(referTo(own === undefined ? answer.text : removeDocument(answer.text, own.index), name));
}

function referTo(text: string, provider: string): string {
  const cluster = readAnswerFile(text).documents.find(({ kind }) => kind === 'Cluster');
  return cluster === undefined ? text : setValue(text, cluster.index, ['spec', 'provider'], provider);
}
