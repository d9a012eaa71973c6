import { Button, Modal, ModalBody, ModalFooter, ModalHeader } from '@patternfly/react-core';
import { CodeIcon, DownloadIcon, ImportIcon, TrashIcon } from '@patternfly/react-icons';
import { useRef, useState } from 'react';
import { useLocation } from 'wouter';
import { saveFile } from '../answer-file/save-file.ts';
import type { OpenDraft } from './draft.ts';
import { texts } from './texts.ts';

/** A stream may have 1 MiB (daemon/spec); what is larger is no answer file. */
const largestFile = 1024 * 1024;

/** Title, whether the words are safe, and what can be done with the whole file. */
export function DraftHead(props: {
  readonly draft: OpenDraft;
  readonly isYamlShown: boolean;
  readonly onToggleYaml: (() => void) | undefined;
}): React.JSX.Element {
  const { draft, isYamlShown, onToggleYaml } = props;
  const [isAsking, setAsking] = useState(false);
  return (
    <header className="remuda-create-head">
      <h1>{draft.title === '' ? texts.title : `${texts.title}: ${draft.title}`}</h1>
      <span className="remuda-create-saving" aria-live="polite">
        {texts.saving[draft.saving]}
      </span>
      <div className="remuda-create-actions">
        {onToggleYaml === undefined ? undefined : (
          <Button
            variant={isYamlShown ? 'secondary' : 'tertiary'}
            icon={<CodeIcon />}
            onClick={onToggleYaml}
            aria-pressed={isYamlShown}
          >
            YAML
          </Button>
        )}
        <ImportButton onText={draft.setText} />
        <Button
          variant="plain"
          icon={<DownloadIcon />}
          onClick={() => saveFile(`${draft.title || 'cluster'}.yaml`, draft.text)}
          aria-label={texts.download}
          title={texts.download}
        />
        <Button
          variant="plain"
          icon={<TrashIcon />}
          onClick={() => setAsking(true)}
          aria-label={texts.discard}
          title={texts.discard}
        />
      </div>
      <DiscardQuestion draft={draft} isOpen={isAsking} onClose={() => setAsking(false)} />
    </header>
  );
}

function ImportButton({ onText }: { readonly onText: (text: string) => void }): React.JSX.Element {
  const input = useRef<HTMLInputElement>(null);
  const take = async (file: File | undefined): Promise<void> => {
    if (file && file.size <= largestFile) onText(await file.text());
  };
  return (
    <>
      <input
        ref={input}
        type="file"
        accept=".yaml,.yml,text/yaml"
        hidden
        aria-label={texts.import}
        onChange={(event) => {
          void take(event.target.files?.[0]);
          event.target.value = '';
        }}
      />
      <Button
        variant="plain"
        icon={<ImportIcon />}
        onClick={() => input.current?.click()}
        aria-label={texts.import}
        title={texts.import}
      />
    </>
  );
}

function DiscardQuestion(props: {
  readonly draft: OpenDraft;
  readonly isOpen: boolean;
  readonly onClose: () => void;
}): React.JSX.Element {
  const [, go] = useLocation();
  const discard = async (): Promise<void> => {
    await props.draft.discard();
    go('/clusters');
  };
  return (
    <Modal variant="small" isOpen={props.isOpen} onClose={props.onClose} aria-labelledby="discard-title">
      <ModalHeader title={texts.discardTitle} labelId="discard-title" />
      <ModalBody>{texts.discardBody}</ModalBody>
      <ModalFooter>
        <Button variant="danger" onClick={() => void discard()}>
          {texts.discard}
        </Button>
        <Button variant="link" onClick={props.onClose}>
          {texts.keep}
        </Button>
      </ModalFooter>
    </Modal>
  );
}
