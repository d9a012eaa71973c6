import { Dropdown, DropdownItem, DropdownList, MenuToggle } from '@patternfly/react-core';
import { UserIcon } from '@patternfly/react-icons';
import { useState } from 'react';
import { useLocation } from 'wouter';
import { useSession } from '../session/session.ts';

/** Who is signed in, and the way out. */
export function AccountMenu(): React.JSX.Element {
  const [isOpen, setOpen] = useState(false);
  const { session, signOut } = useSession();
  const [, go] = useLocation();
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
        <DropdownItem onClick={() => go('/account')} description={`You are ${role} here`}>
          Your account
        </DropdownItem>
        <DropdownItem onClick={signOut}>Sign out</DropdownItem>
      </DropdownList>
    </Dropdown>
  );
}
