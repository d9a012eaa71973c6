import {
  Checkbox,
  FormGroup,
  FormHelperText,
  FormSelect,
  FormSelectOption,
  HelperText,
  HelperTextItem,
  NumberInput,
  TextInput,
} from '@patternfly/react-core';
import { useState } from 'react';
import { fieldName, type Path, valueAt } from '../answer-file/stream.ts';
import { type FormKind, useAnswer } from './answer.ts';
import { HelpText } from './help-text.tsx';
import { type FieldSchema, isRequired, schemaAt } from './schema.ts';
import { texts } from './texts.ts';

interface FieldProps {
  readonly kind: FormKind;
  readonly path: Path;
  /** Where the text of the page does not know the field. */
  readonly label?: string;
  /** Values to choose from, where a list on board is better than a free text. */
  readonly choices?: readonly string[];
  /** Shorter or more fitting than the schema's own. */
  readonly help?: string;
  readonly isHelpHidden?: boolean;
}

interface InputProps {
  readonly id: string;
  readonly label: string;
  readonly schema: FieldSchema;
  readonly value: unknown;
  readonly describedBy: string;
  readonly isInvalid: boolean;
  readonly isRequired: boolean;
  readonly choices: readonly string[] | undefined;
  readonly write: (value: unknown) => void;
  readonly leave: () => void;
}

/** One field of the answer file, made from the schema: input, help and the daemon's own words about what is wrong. */
export function Field(props: FieldProps): React.JSX.Element | undefined {
  const { kind, path } = props;
  const answer = useAnswer();
  const schema = schemaAt(answer.schema, kind, path);
  const name = fieldName(path);
  const id = `${kind}-${name}`;
  if (schema === undefined) return undefined;
  const problems = answer.problemsAt(kind, path);
  const label = props.label ?? texts.labels[`${kind}.${name}`] ?? name;
  const input: InputProps = {
    id,
    label,
    schema,
    value: valueAt(answer.documentOf(kind)?.value, path),
    describedBy: `${id}-help`,
    isInvalid: problems.length > 0,
    isRequired: isRequired(answer.schema, kind, path),
    choices: props.choices ?? schema.enum,
    write: (value) => answer.write(kind, path, value),
    leave: () => answer.touch(kind, path),
  };
  const help = props.help ?? schema.description ?? '';
  const isBoolean = schema.type === 'boolean';
  const later = schema['x-mutability'] === undefined ? '' : texts.mutability[schema['x-mutability']];
  return (
    <FormGroup fieldId={id} {...(isBoolean ? {} : { label })} className="remuda-field">
      <Input {...input} />
      <FormHelperText>
        <HelperText id={input.describedBy} isLiveRegion>
          {problems.map((problem) => (
            <HelperTextItem key={problem.code + problem.summary} variant="error">
              {problem.summary} {problem.remedy}
            </HelperTextItem>
          ))}
          {props.isHelpHidden ? undefined : (
            <HelperTextItem>
              <HelpText text={schema.type === 'array' ? `${help} ${texts.listHint}` : help} /> {later}
            </HelperTextItem>
          )}
        </HelperText>
      </FormHelperText>
    </FormGroup>
  );
}

function Input(props: InputProps): React.JSX.Element {
  const { schema } = props;
  if (schema.type === 'boolean') return <BooleanInput {...props} />;
  if (props.choices) return <ChoiceInput {...props} />;
  if (schema.type === 'integer') return <WholeNumberInput {...props} />;
  return <WordsInput {...props} />;
}

function BooleanInput({ id, label, schema, value, describedBy, write }: InputProps): React.JSX.Element {
  return (
    <Checkbox
      id={id}
      label={label}
      isChecked={(value ?? schema.default) === true}
      aria-describedby={describedBy}
      onChange={(_event, isChecked) => write(isChecked)}
    />
  );
}

function ChoiceInput(props: InputProps): React.JSX.Element {
  const { id, schema, value, choices = [] } = props;
  const present = String(value ?? schema.default ?? '');
  const options = choices.includes(present) || present === '' ? choices : [present, ...choices];
  return (
    <FormSelect
      id={id}
      value={present}
      validated={props.isInvalid ? 'error' : 'default'}
      aria-describedby={props.describedBy}
      onChange={(_event, chosen) => props.write(chosen)}
      onBlur={props.leave}
    >
      {options.map((option) => (
        <FormSelectOption key={option} value={option} label={option} />
      ))}
    </FormSelect>
  );
}

function WholeNumberInput(props: InputProps): React.JSX.Element {
  const { id, label, schema, value, write } = props;
  const present = value ?? schema.default;
  const number = typeof present === 'number' ? present : undefined;
  const least = schema.minimum ?? 0;
  const most = schema.maximum ?? Number.MAX_SAFE_INTEGER;
  const step = (by: number): void => write(Math.min(most, Math.max(least, (number ?? least) + by)));
  return (
    <NumberInput
      value={number ?? ''}
      min={least}
      max={most}
      onMinus={() => step(-1)}
      onPlus={() => step(1)}
      onChange={(event) => {
        const typed = event.currentTarget.value.trim();
        write(typed === '' ? undefined : Number(typed));
      }}
      onBlur={props.leave}
      validated={props.isInvalid ? 'error' : 'default'}
      inputName={id}
      inputProps={{ id, 'aria-describedby': props.describedBy }}
      inputAriaLabel={label}
      minusBtnAriaLabel={`${label}: less`}
      plusBtnAriaLabel={`${label}: more`}
      widthChars={5}
    />
  );
}

/** Text, or a list with commas; what is half-typed stays as typed until the field is left. */
function WordsInput(props: InputProps): React.JSX.Element {
  const { id, schema, value, write } = props;
  const isList = schema.type === 'array';
  const [typed, setTyped] = useState<string>();
  const present = typed ?? wordsOf(value);
  const put = (words: string): void => {
    setTyped(words);
    if (isList)
      write(
        words
          .split(',')
          .map((word) => word.trim())
          .filter((word) => word !== ''),
      );
    else write(words);
  };
  const leave = (): void => {
    // An empty field is one that was not filled in: the default counts again.
    if (typed?.trim() === '') write(undefined);
    setTyped(undefined);
    props.leave();
  };
  return (
    <TextInput
      id={id}
      value={present}
      isRequired={props.isRequired}
      placeholder={wordsOf(schema.default ?? '')}
      validated={props.isInvalid ? 'error' : 'default'}
      aria-describedby={props.describedBy}
      autoComplete="off"
      autoCapitalize="none"
      spellCheck={false}
      onChange={(_event, words) => put(words)}
      onBlur={leave}
    />
  );
}

function wordsOf(value: unknown): string {
  if (Array.isArray(value)) return value.map(String).join(', ');
  return value === undefined || value === null || typeof value === 'object'
    ? ''
    : String(value as string | number);
}
