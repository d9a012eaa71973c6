import { ClipboardCopy } from '@patternfly/react-core';
import { useQuery } from '@tanstack/react-query';
import type { SecretView } from '../../../../daemon/api/types.ts';
import { get } from '../api/http.ts';
import { keys } from '../api/queries.ts';
import { type Path, valueAt } from '../answer-file/stream.ts';
import { useHasRole } from '../session/session.ts';
import { useAnswer } from './answer.ts';
import { Field } from './field.tsx';

const words = {
  label: 'Name of the secret',
  known: (names: string) => `There are: ${names}.`,
  give: 'The file names it and never holds it. If it is not there yet, give it once with this command:',
  command: 'Command that gives the secret',
} as const;

/** A reference to a secret in the store, and how one comes there: secrets never stand in a draft. */
export function SecretField(props: {
  /** Of the section that refers: `credentials`. */
  readonly path: Path;
  /** The values the secret has to have. */
  readonly values: readonly string[];
  /** What it is for, in a sentence. */
  readonly help: string;
}): React.JSX.Element {
  const { path, values, help } = props;
  const answer = useAnswer();
  const mayRead = useHasRole('operator');
  const { data } = useQuery({
    queryKey: [...keys.supplies, 'secrets'],
    queryFn: ({ signal }) =>
      get<{ readonly items: readonly SecretView[] }>('/api/v1/secrets', { signal, isBackground: true }),
    enabled: mayRead,
  });
  const known = (data?.items ?? []).map(({ name }) => name).join(', ');
  const chosen = valueAt(answer.documentOf('Cluster')?.value, [...path, 'secretRef']);
  const name = typeof chosen === 'string' && chosen !== '' ? chosen : 'NAME';
  return (
    <div className="remuda-stack">
      <Field
        kind="Cluster"
        path={[...path, 'secretRef']}
        also={[path]}
        label={words.label}
        help={known === '' ? help : `${help} ${words.known(known)}`}
      />
      <div>
        <p className="remuda-subtle">{words.give}</p>
        <ClipboardCopy isReadOnly isCode textAriaLabel={words.command} hoverTip="Copy" clickTip="Copied">
          {`remuda secret set ${name} ${values.map((value) => `--from-file ${value}=FILE`).join(' ')}`}
        </ClipboardCopy>
      </div>
    </div>
  );
}
