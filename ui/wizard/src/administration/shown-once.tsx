import { Alert, ClipboardCopy } from '@patternfly/react-core';
import type { ReactNode } from 'react';
import { texts } from './texts.ts';

/** A secret that the daemon tells once, with a way to take it along. */
export function ShownOnce(props: {
  readonly label: string;
  readonly secret: string;
  /** What to do with it. */
  readonly children?: ReactNode;
}): React.JSX.Element {
  return (
    <div className="remuda-shown-once">
      <Alert component="p" isInline variant="success" title={texts.shownOnce} />
      <ClipboardCopy
        isReadOnly
        isCode
        hoverTip={texts.copy}
        clickTip={texts.copied}
        textAriaLabel={props.label}
      >
        {props.secret}
      </ClipboardCopy>
      {props.children}
    </div>
  );
}

/** A line for a terminal: what is kept in files is set there. */
export function Command(props: { readonly children: string; readonly label?: string }): React.JSX.Element {
  return (
    <ClipboardCopy
      isReadOnly
      isCode
      hoverTip={texts.copy}
      clickTip={texts.copied}
      textAriaLabel={props.label ?? 'Command'}
      className="remuda-command"
    >
      {props.children}
    </ClipboardCopy>
  );
}
