import { Dropdown, DropdownItem, DropdownList, MenuToggle } from '@patternfly/react-core';
import { AdjustIcon } from '@patternfly/react-icons';
import { useState } from 'react';
import { type ThemeChoice, useTheme } from '../theme/theme.ts';

const names: Readonly<Record<ThemeChoice, string>> = {
  system: 'As the system',
  light: 'Light',
  dark: 'Dark',
};
const choices: readonly ThemeChoice[] = ['system', 'light', 'dark'];

/** Light, dark, or as the system has it. */
export function ThemeMenu(): React.JSX.Element {
  const [isOpen, setOpen] = useState(false);
  const [choice, choose] = useTheme();
  return (
    <Dropdown
      isOpen={isOpen}
      onOpenChange={setOpen}
      onSelect={(_event, value) => {
        choose(value as ThemeChoice);
        setOpen(false);
      }}
      popperProps={{ position: 'end' }}
      toggle={(reference) => (
        <MenuToggle
          ref={reference}
          variant="plain"
          isExpanded={isOpen}
          onClick={() => setOpen(!isOpen)}
          aria-label={`Appearance: ${names[choice]}`}
          icon={<AdjustIcon />}
        />
      )}
    >
      <DropdownList>
        {choices.map((value) => (
          <DropdownItem key={value} value={value} isSelected={value === choice}>
            {names[value]}
          </DropdownItem>
        ))}
      </DropdownList>
    </Dropdown>
  );
}
