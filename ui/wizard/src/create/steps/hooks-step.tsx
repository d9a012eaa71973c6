import { Alert, Button, Form } from '@patternfly/react-core';
import { PlusCircleIcon } from '@patternfly/react-icons';
import { isSection, valueAt } from '../../answer-file/stream.ts';
import { useHasRole } from '../../session/session.ts';
import { useAnswer } from '../answer.ts';
import { FieldProblems } from '../field.tsx';
import { HookForm, newHook } from './hook-form.tsx';
import { hookTexts as words } from './hook-texts.ts';

const path = ['spec', 'hooks'] as const;

/** Users' own commands beside Remuda's steps (row V10), for those who may write them. */
export function HooksStep(): React.JSX.Element {
  const answer = useAnswer();
  const document = answer.documentOf('Cluster');
  // As the daemon has it: hooks run as root, and take a right of their own (daemon/api/hook-rights.ts).
  const mayWrite = useHasRole('admin', document?.name);
  const written = valueAt(document?.value, path);
  const hooks = Array.isArray(written) ? written : [];
  const names = new Set(hooks.filter(isSection).map(({ name }) => name));
  const add = (): void => {
    let number = hooks.length + 1;
    while (names.has(`hook-${number}`)) number += 1;
    answer.write('Cluster', path, [...hooks, newHook(`hook-${number}`)]);
  };
  const remove = (place: number): void =>
    answer.write('Cluster', hooks.length === 1 ? path : [...path, place], undefined);
  return (
    <Form>
      {mayWrite ? undefined : <Alert component="p" isInline variant="info" title={words.needed} />}
      <FieldProblems kind="Cluster" path={path} />
      <fieldset className="remuda-stack remuda-hooks" disabled={!mayWrite}>
        {hooks.length === 0 ? <p className="remuda-subtle">{words.none}</p> : undefined}
        {hooks.map((hook, place) => (
          <HookForm
            // By place, not by name: the name is typed here, and a new key a letter would take the focus away.
            // oxlint-disable-next-line react/no-array-index-key -- for the reason above
            key={place}
            path={[...path, place]}
            name={String(valueAt(hook, ['name']) ?? place + 1)}
            onRemove={() => remove(place)}
          />
        ))}
        <div>
          <Button variant="link" isInline icon={<PlusCircleIcon />} onClick={add} isDisabled={!mayWrite}>
            {words.add}
          </Button>
        </div>
      </fieldset>
    </Form>
  );
}
