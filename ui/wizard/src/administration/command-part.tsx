import { EmptyState, EmptyStateBody, EmptyStateFooter } from '@patternfly/react-core';
import type { ComponentType, ReactNode } from 'react';
import { ProblemView } from '../problem/problem-view.tsx';
import { Loading } from '../shell/loading.tsx';
import { Command } from './shown-once.tsx';

/** A part that shows what is set by files: how to set it, and each of what there is once it is loaded. */
export function CommandPart<Item>(props: {
  readonly words: {
    readonly intro: string;
    readonly command: string;
    readonly emptyTitle: string;
    readonly emptyBody: string;
  };
  readonly icon: ComponentType;
  readonly items: readonly Item[] | undefined;
  readonly error: unknown;
  readonly children: (items: readonly Item[]) => ReactNode;
}): React.JSX.Element {
  const { words, icon, items, error, children } = props;
  if (items?.length === 0)
    return (
      <EmptyState titleText={words.emptyTitle} headingLevel="h2" icon={icon}>
        <EmptyStateBody>{words.emptyBody}</EmptyStateBody>
        <EmptyStateFooter>
          <Command>{words.command}</Command>
        </EmptyStateFooter>
      </EmptyState>
    );
  return (
    <>
      <p className="remuda-command-lead">{words.intro}</p>
      <Command>{words.command}</Command>
      <ProblemView error={error} />
      {items === undefined && !error ? <Loading /> : undefined}
      {items === undefined ? undefined : children(items)}
    </>
  );
}
