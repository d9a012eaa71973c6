import { Tab, Tabs, TabTitleText } from '@patternfly/react-core';
import { type KeyboardEvent, type ReactNode, useState } from 'react';
import { useLocation } from 'wouter';

/** One part of a page. */
interface Part<Name extends string> {
  readonly name: Name;
  readonly title: string;
}

/**
 * Parts of a page whose name is in the address. One of them is a stop of Tab; arrow keys, Home and End go along them,
 * Enter or Space opens (WAI-ARIA Authoring Practices, "Tabs with manual activation": a part asks the daemon first).
 */
export function AddressTabs<Name extends string>(props: {
  readonly label: string;
  readonly parts: readonly Part<Name>[];
  readonly present: Name;
  readonly addressOf: (name: Name) => string;
  /** The present part. */
  readonly children: ReactNode;
}): React.JSX.Element {
  const { label, parts, present, addressOf, children } = props;
  const [, go] = useLocation();
  const [focused, setFocused] = useState<Name>();
  const stop = parts.some(({ name }) => name === focused) ? focused : present;
  return (
    <Tabs
      activeKey={present}
      onSelect={(_event, key) => {
        const chosen = parts.find(({ name }) => name === key);
        if (chosen !== undefined) go(addressOf(chosen.name));
      }}
      onKeyDown={moveFocus}
      // Who leaves the tabs and comes back is at the present one again.
      onBlur={() => setFocused(undefined)}
      aria-label={label}
      className="remuda-tabs"
    >
      {parts.map(({ name, title }) => (
        <Tab
          key={name}
          eventKey={name}
          title={<TabTitleText>{title}</TabTitleText>}
          tabIndex={name === stop ? 0 : -1}
          onFocus={() => setFocused(name)}
        >
          {name === present ? children : undefined}
        </Tab>
      ))}
    </Tabs>
  );
}

/** Keys that go along the tabs, with where to from a place among so many. */
const moves: Readonly<Record<string, (place: number, count: number) => number>> = {
  ArrowRight: (place, count) => (place + 1) % count,
  ArrowLeft: (place, count) => (place + count - 1) % count,
  Home: () => 0,
  End: (_place, count) => count - 1,
};

function moveFocus(event: KeyboardEvent<HTMLElement>): void {
  const move = moves[event.key];
  const tabs = [...event.currentTarget.querySelectorAll<HTMLElement>('[role=tab]')];
  const place = tabs.findIndex((tab) => tab === event.target);
  if (move === undefined || place < 0 || event.altKey || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  tabs[move(place, tabs.length)]?.focus();
}
