import { Dropdown, DropdownItem, DropdownList, MenuToggle } from '@patternfly/react-core';
import { UserIcon } from '@patternfly/react-icons';
import { useState } from 'react';
import { useSession } from '../session/session.ts';

/** Who is signed in, and the way out. */
export function AccountMenu(): React.JSX.Element {
  const [isOpen, setOpen] = useState(false);
  const { session, signOut } = useSession();
  const { name, role } = session.principal;
  return (
    <Dropdown
      isOpen={isOpen}
      onOpenChange={setOpen}
      onSelect={() => setOpen(false)}
      popperProps={{ position: 'end' }}
      toggle={(reference) => (
        <MenuToggle
          ref={reference}
          variant="plainText"
          isExpanded={isOpen}
          onClick={() => setOpen(!isOpen)}
          icon={<UserIcon />}
        >
          {name}
        </MenuToggle>
      )}
    >
      <DropdownList>
        <DropdownItem isDisabled description={`You are ${role} here`}>
          {name}
        </DropdownItem>
        <DropdownItem onClick={signOut}>Sign out</DropdownItem>
      </DropdownList>
    </Dropdown>
  );
}
