import { Divider, Dropdown, DropdownItem, DropdownList, MenuToggle } from '@patternfly/react-core';
import { EllipsisVIcon } from '@patternfly/react-icons';
import { useState } from 'react';
import type { UserView } from '../../../../daemon/api/types.ts';
import { PersonQuestion, type PersonQuestionKind } from './person-question.tsx';
import { peopleTexts as words } from './texts.ts';

/** Everything that an administrator can do about one person. What cannot be done says why. */
export function PersonActions({ person }: { readonly person: UserView }): React.JSX.Element {
  const [asked, setAsked] = useState<PersonQuestionKind>();
  return (
    <>
      <Menu person={person} onAsk={setAsked} />
      {asked === undefined ? undefined : (
        <PersonQuestion kind={asked} person={person} onClose={() => setAsked(undefined)} />
      )}
    </>
  );
}

function Menu(props: {
  readonly person: UserView;
  readonly onAsk: (kind: PersonQuestionKind) => void;
}): React.JSX.Element {
  const { person, onAsk } = props;
  const [isOpen, setOpen] = useState(false);
  const isLast = person.isLastAdministrator;
  const ofDirectory = person.source === 'directory';
  const last = isLast ? words.lastAdministrator : undefined;
  return (
    <Dropdown
      isOpen={isOpen}
      onOpenChange={setOpen}
      onSelect={() => setOpen(false)}
      popperProps={{
        position: 'end',
        // Inside the page's main part: what floats beside the landmarks is lost to a screen reader.
        appendTo: () => document.querySelector('main') ?? document.body,
      }}
      toggle={(reference) => (
        <MenuToggle
          ref={reference}
          variant="plain"
          isExpanded={isOpen}
          onClick={() => setOpen(!isOpen)}
          aria-label={words.actions(person.name)}
          icon={<EllipsisVIcon />}
        />
      )}
    >
      <DropdownList>
        <Item
          text={words.changeRole}
          reason={ofDirectory ? words.roleOfDirectory : last}
          onChoose={() => onAsk('role')}
        />
        <Item
          text={words.invite}
          reason={ofDirectory ? words.passwordOfDirectory : undefined}
          onChoose={() => onAsk('invite')}
        />
        <Item text={words.endSessions} onChoose={() => onAsk('endSessions')} />
        {person.state === 'disabled' ? (
          <Item text={words.enable} onChoose={() => onAsk('enable')} />
        ) : (
          <Item text={words.disable} reason={last} onChoose={() => onAsk('disable')} />
        )}
        <Divider component="li" />
        <Item text={words.remove} reason={last} onChoose={() => onAsk('remove')} />
      </DropdownList>
    </Dropdown>
  );
}

/** With a reason it can be reached and read, but not chosen. */
function Item(props: {
  readonly text: string;
  readonly reason?: string | undefined;
  readonly onChoose: () => void;
}): React.JSX.Element {
  const { text, reason, onChoose } = props;
  return (
    <DropdownItem
      isAriaDisabled={reason !== undefined}
      {...(reason === undefined ? {} : { description: <span className="remuda-reason">{reason}</span> })}
      onClick={() => {
        if (reason === undefined) onChoose();
      }}
    >
      {text}
    </DropdownItem>
  );
}
