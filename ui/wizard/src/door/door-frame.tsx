import { Content, Title } from '@patternfly/react-core';
import type { ReactNode } from 'react';
import { Wordmark } from '../shell/wordmark.tsx';
import './door.css';
import { texts } from './texts.ts';

/** The card in the middle of the page on which everything at the door happens. */
export function DoorFrame(props: {
  readonly title: string;
  readonly intro?: string;
  readonly children: ReactNode;
  readonly footer?: ReactNode;
}): React.JSX.Element {
  return (
    <div className="remuda-door">
      <header className="remuda-door-brand">
        <Wordmark isLarge />
        <p>{texts.slogan}</p>
      </header>
      <main className="remuda-door-card">
        <Title headingLevel="h1" size="xl">
          {props.title}
        </Title>
        {props.intro === undefined ? undefined : <Content component="p">{props.intro}</Content>}
        {props.children}
      </main>
      {props.footer === undefined ? undefined : (
        <footer className="remuda-door-footer">{props.footer}</footer>
      )}
    </div>
  );
}
