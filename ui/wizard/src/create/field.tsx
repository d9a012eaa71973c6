import { FormGroup, FormHelperText, HelperText, HelperTextItem } from '@patternfly/react-core';
import { fieldName, type Path, valueAt } from '../answer-file/stream.ts';
import { type FormKind, useAnswer } from './answer.ts';
import { FieldInput, type InputProps } from './field-inputs.tsx';
import { HelpText } from './help-text.tsx';
import { isRequired, schemaAt } from './schema.ts';
import { texts } from './texts.ts';

interface FieldProps {
  readonly kind: FormKind;
  readonly path: Path;
  /** Where the text of the page does not know the field. */
  readonly label?: string;
  /** Values to choose from, where a list on board is better than a free text. */
  readonly choices?: readonly string[];
  /** What is shown in place of the file's values, where those are no words for people. */
  readonly names?: Readonly<Record<string, string>>;
  /** Lines of text that are seen at once; a list has an entry on each. */
  readonly lines?: number;
  /** Other places whose problems are mended here: a section that has this field alone. */
  readonly also?: readonly Path[];
  /** Shorter or more fitting than the schema's own. */
  readonly help?: string;
  readonly isHelpHidden?: boolean;
}

/** One field of the answer file, made from the schema: input, help and the daemon's own words about what is wrong. */
export function Field(props: FieldProps): React.JSX.Element | undefined {
  const { kind, path } = props;
  const answer = useAnswer();
  const schema = schemaAt(answer.schema, kind, path);
  const name = fieldName(path);
  const id = `${kind}-${name}`;
  if (schema === undefined) return undefined;
  const places = [path, ...(props.also ?? [])];
  const problems = places.flatMap((place) => answer.problemsAt(kind, place));
  const label = props.label ?? texts.labels[`${kind}.${name}`] ?? name;
  const input: InputProps = {
    id,
    label,
    schema,
    value: valueAt(answer.documentOf(kind)?.value, path),
    describedBy: `${id}-help`,
    isInvalid: problems.length > 0,
    isRequired: isRequired(answer.schema, kind, path),
    choices: props.choices ?? schema.enum ?? schema.items?.enum,
    names: props.names ?? {},
    lines: props.lines,
    write: (value) => answer.write(kind, path, value),
    leave: () => answer.touch(kind, ...places),
  };
  const help = props.help ?? schema.description ?? '';
  const isBoolean = schema.type === 'boolean';
  // Boxes to tick, or lines of their own, need no word about commas.
  const hasCommas = schema.type === 'array' && input.choices === undefined && input.lines === undefined;
  const isSet = schema.type === 'array' && input.choices !== undefined;
  const later = schema['x-mutability'] === undefined ? '' : texts.mutability[schema['x-mutability']];
  return (
    <FormGroup
      fieldId={id}
      {...(isBoolean ? {} : { label })}
      {...(isSet ? { role: 'group' } : {})}
      className="remuda-field"
    >
      <FieldInput {...input} />
      <FormHelperText>
        <HelperText id={input.describedBy} isLiveRegion>
          {problems.map((problem) => (
            <HelperTextItem key={problem.code + problem.summary} variant="error">
              {problem.summary} {problem.remedy}
            </HelperTextItem>
          ))}
          {props.isHelpHidden ? undefined : (
            <HelperTextItem>
              <HelpText text={hasCommas ? `${help} ${texts.listHint}` : help} /> {later}
            </HelperTextItem>
          )}
        </HelperText>
      </FormHelperText>
    </FormGroup>
  );
}

/** What the daemon has against a field that no input of its own shows: a choice between sections. */
export function FieldProblems(props: { readonly kind: FormKind; readonly path: Path }) {
  const problems = useAnswer().problemsAt(props.kind, props.path);
  if (problems.length === 0) return undefined;
  return (
    <HelperText isLiveRegion>
      {problems.map((problem) => (
        <HelperTextItem key={problem.code + problem.summary} variant="error">
          {problem.summary} {problem.remedy}
        </HelperTextItem>
      ))}
    </HelperText>
  );
}
