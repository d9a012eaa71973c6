import {
  Checkbox,
  FileUpload,
  Form,
  FormGroup,
  FormHelperText,
  FormSection,
  HelperText,
  HelperTextItem,
  TextInput,
} from '@patternfly/react-core';
import { useId } from 'react';
import { adoptTexts as words } from './adopt-texts.ts';
import type { Adoption, NamedText } from './adoption.ts';

interface Props {
  readonly adoption: Adoption;
  /** What has become different: a file is read while other fields are filled in. */
  readonly onChange: (change: Partial<Adoption>) => void;
}

/** What is asked of a person before a cluster can be looked at. */
export function AdoptForm({ adoption, onChange: set }: Props): React.JSX.Element {
  const { file, address, port, user, key, takesOver } = adoption;
  return (
    <Form onSubmit={(event) => event.preventDefault()} isWidthLimited>
      <TextOfFile
        words={words.file}
        given={file}
        onGive={(given) => set({ file: given })}
        isShown
        isRequired
      />
      <FormSection title={words.master} titleElement="h2">
        <Line words={words.address} value={address} onType={(typed) => set({ address: typed })} isRequired />
        <div className="remuda-adopt-pair">
          <Line words={words.user} value={user} onType={(typed) => set({ user: typed })} isRequired />
          <Line
            words={{ label: words.port }}
            value={port}
            onType={(typed) => set({ port: typed })}
            isRequired
          />
        </div>
        <TextOfFile words={words.key} given={key} onGive={(given) => set({ key: given })} isRequired />
      </FormSection>
      <FormSection title={words.trust} titleElement="h2">
        <Line words={words.hostKey} value={adoption.hostKey} onType={(hostKey) => set({ hostKey })} />
        <TextOfFile
          words={words.knownHosts}
          given={adoption.knownHosts}
          onGive={(knownHosts) => set({ knownHosts })}
        />
        <Checkbox
          id="adopt-takes-over"
          label={words.takesOver.label}
          description={words.takesOver.help}
          isChecked={takesOver}
          onChange={(_event, isChecked) => set({ takesOver: isChecked })}
        />
      </FormSection>
    </Form>
  );
}

interface Words {
  readonly label: string;
  readonly help?: string;
}

function Line(props: {
  readonly words: Words;
  readonly value: string;
  readonly onType: (typed: string) => void;
  readonly isRequired?: boolean;
}): React.JSX.Element {
  const { words: own, value, onType, isRequired = false } = props;
  const id = useId();
  return (
    <FormGroup label={own.label} fieldId={id} isRequired={isRequired}>
      <TextInput
        id={id}
        value={value}
        onChange={(_event, typed) => onType(typed)}
        {...(own.help === undefined ? {} : { 'aria-describedby': `${id}-help` })}
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        isRequired={isRequired}
      />
      <Help id={`${id}-help`} help={own.help} />
    </FormGroup>
  );
}

/** A file that is read here; `isShown`: its text stands below, and may be typed or pasted there. A key's never does. */
function TextOfFile(props: {
  readonly words: Words & { readonly choose: string };
  readonly given: NamedText;
  readonly onGive: (given: NamedText) => void;
  readonly isShown?: boolean;
  readonly isRequired?: boolean;
}): React.JSX.Element {
  const { words: own, given, onGive, isShown = false, isRequired = false } = props;
  const id = useId();
  return (
    <FormGroup label={own.label} fieldId={id} isRequired={isRequired}>
      <FileUpload
        id={id}
        type="text"
        value={given.text}
        filename={given.name}
        filenamePlaceholder={own.choose}
        filenameAriaLabel={own.choose}
        aria-label={own.label}
        browseButtonText={own.choose}
        clearButtonText={words.clear}
        hideDefaultPreview={!isShown}
        allowEditingUploadedText
        onFileInputChange={(_event, file) =>
          void file.text().then((text) => onGive({ name: file.name, text }))
        }
        onTextChange={(_event, text) => onGive({ ...given, text })}
        onClearClick={() => onGive({ name: '', text: '' })}
      />
      <Help help={own.help} />
    </FormGroup>
  );
}

function Help({ id, help }: { readonly id?: string; readonly help: string | undefined }) {
  if (help === undefined) return undefined;
  return (
    <FormHelperText>
      <HelperText {...(id === undefined ? {} : { id })}>
        <HelperTextItem>{help}</HelperTextItem>
      </HelperText>
    </FormHelperText>
  );
}
