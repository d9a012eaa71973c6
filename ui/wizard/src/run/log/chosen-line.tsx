import { Button } from '@patternfly/react-core';
import { CopyIcon, LinkIcon, TimesIcon } from '@patternfly/react-icons';
import { useState } from 'react';
import { Time } from '../../time/time.tsx';
import type { ShownLine } from './line-store.ts';
import { lineAddress } from './position.ts';

/** The whole of the chosen line, with what it belongs to, and ways to hand it on. */
export function ChosenLine(props: {
  readonly line: ShownLine;
  /** Title of its step. */
  readonly title: string;
  readonly onClose: () => void;
}): React.JSX.Element {
  const { line, title, onClose } = props;
  const [copied, setCopied] = useState('');
  const copy = (what: string, text: string): void => {
    void navigator.clipboard.writeText(text).then(
      () => setCopied(`${what} copied`),
      () => setCopied('The browser does not allow copying here'),
    );
  };
  return (
    <section className="remuda-chosen" aria-label="Chosen line">
      <div className="remuda-chosen-head">
        <p>
          <strong>Line {line.number.toLocaleString('en')}</strong>
          <Time at={new Date(line.at).toISOString()} form="full" />
          {line.machine === '' ? undefined : <span>{line.machine}</span>}
          <span className="remuda-quiet">{title}</span>
        </p>
        <span role="status" className="remuda-quiet">
          {copied}
        </span>
        <Button variant="link" size="sm" icon={<CopyIcon />} onClick={() => copy('Line', line.text)}>
          Copy line
        </Button>
        <Button
          variant="link"
          size="sm"
          icon={<LinkIcon />}
          onClick={() => copy('Link', lineAddress(line.number))}
        >
          Copy link
        </Button>
        <Button
          variant="plain"
          size="sm"
          aria-label="Leave this line"
          icon={<TimesIcon />}
          onClick={onClose}
        />
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard (WCAG 2.1.1) */}
      <pre tabIndex={0}>{line.text}</pre>
    </section>
  );
}
