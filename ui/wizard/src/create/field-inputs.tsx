import {
  Checkbox,
  FormSelect,
  FormSelectOption,
  NumberInput,
  TextArea,
  TextInput,
} from '@patternfly/react-core';
import { useState } from 'react';
import type { FieldSchema } from './schema.ts';

/** What every input of a field is given. */
export interface InputProps {
  readonly id: string;
  readonly label: string;
  readonly schema: FieldSchema;
  readonly value: unknown;
  readonly describedBy: string;
  readonly isInvalid: boolean;
  readonly isRequired: boolean;
  readonly choices: readonly string[] | undefined;
  /** What is shown in place of a value of the file. */
  readonly names: Readonly<Record<string, string>>;
  /** Lines of text that are seen at once; a list has an entry on each. Undefined = everything on one line. */
  readonly lines: number | undefined;
  readonly write: (value: unknown) => void;
  readonly leave: () => void;
}

/** The input that fits a field's schema. */
export function FieldInput(props: InputProps): React.JSX.Element {
  const { schema, choices } = props;
  if (schema.type === 'boolean') return <BooleanInput {...props} />;
  if (choices && schema.type === 'array') return <SetInput {...props} />;
  if (choices) return <ChoiceInput {...props} />;
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
  const { id, schema, value, names, choices = [] } = props;
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
        <FormSelectOption key={option} value={option} label={names[option] ?? option} />
      ))}
    </FormSelect>
  );
}

/** Some of a few words: none of them stands for the default. */
function SetInput(props: InputProps): React.JSX.Element {
  const { id, schema, value, names, choices = [], write } = props;
  const present = value ?? schema.default;
  const chosen: readonly unknown[] = Array.isArray(present) ? present : [];
  // What the file has beside them is shown, too: somebody wrote it.
  const options = [...choices, ...chosen.filter((one) => typeof one === 'string' && !choices.includes(one))];
  return (
    <div className="remuda-set">
      {options.map(String).map((option) => (
        <Checkbox
          key={option}
          id={`${id}-${option}`}
          label={names[option] ?? option}
          isChecked={chosen.includes(option)}
          onChange={(_event, isChosen) => {
            const next = options.filter((one) => (one === option ? isChosen : chosen.includes(one)));
            write(next.length === 0 ? undefined : next);
          }}
          onBlur={props.leave}
        />
      ))}
    </div>
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

/** Text, or a list with commas or lines; what is half-typed stays as typed until the field is left. */
function WordsInput(props: InputProps): React.JSX.Element {
  const { id, schema, value, lines, write } = props;
  const isList = schema.type === 'array';
  const separator = lines === undefined ? ',' : '\n';
  const [typed, setTyped] = useState<string>();
  const put = (words: string): void => {
    setTyped(words);
    if (isList)
      write(
        words
          .split(separator)
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
  const common = {
    id,
    value: typed ?? wordsOf(value, separator),
    isRequired: props.isRequired,
    validated: props.isInvalid ? ('error' as const) : ('default' as const),
    'aria-describedby': props.describedBy,
    autoComplete: 'off',
    autoCapitalize: 'none',
    spellCheck: false,
    onChange: (_event: unknown, words: string) => put(words),
    onBlur: leave,
  };
  return lines === undefined ? (
    <TextInput {...common} placeholder={wordsOf(schema.default ?? '', separator)} />
  ) : (
    <TextArea {...common} rows={lines} resizeOrientation="vertical" className="remuda-lines" />
  );
}

function wordsOf(value: unknown, separator: string): string {
  if (Array.isArray(value)) return value.map(String).join(separator === ',' ? ', ' : separator);
  return value === undefined || value === null || typeof value === 'object'
    ? ''
    : String(value as string | number);
}
