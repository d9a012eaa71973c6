import { Tooltip } from '@patternfly/react-core';
import type { ReactElement } from 'react';
import type { Role } from '../../../../daemon/api/types.ts';

/** Says, at an action that one may not take, which role it needs. The action itself is disabled by its owner. */
export function Permitted(props: {
  readonly isAllowed: boolean;
  readonly needed: Role;
  readonly cluster?: string;
  readonly children: ReactElement;
}): React.JSX.Element {
  const { isAllowed, needed, cluster, children } = props;
  if (isAllowed) return children;
  const where = cluster === undefined ? '' : ` in ${cluster}, or everywhere`;
  return (
    <Tooltip
      // Inside the page's main part: what floats beside the landmarks is lost to a screen reader.
      appendTo={() => document.querySelector('main') ?? document.body}
      content={`Needs the role ${needed}${where}. An administrator can give it to you.`}
    >
      {/* A disabled button takes no focus: this does, so that the reason can be read with the keyboard, too. */}
      <span
        className="remuda-not-permitted"
        tabIndex={0}
        role="note"
        aria-label={`Needs the role ${needed}${where}`}
      >
        {children}
      </span>
    </Tooltip>
  );
}
