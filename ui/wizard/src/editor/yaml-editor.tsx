import { lazy, Suspense } from 'react';
import type { ProblemReport } from '../problem/problem-view.tsx';
import { Loading } from '../shell/loading.tsx';

/** What the editor shows and reports. */
export interface YamlEditorProps {
  readonly text: string;
  readonly problems: readonly ProblemReport[];
  readonly label: string;
  /** Absent = to be read only. */
  readonly onChange?: (text: string) => void;
}

const CodeEditor = lazy(async () => ({ default: (await import('./code-editor.tsx')).CodeEditor }));

/** The YAML with line numbers, colours and the validator's words at their places. It comes when it is first wanted. */
export function YamlEditor(props: YamlEditorProps): React.JSX.Element {
  return (
    <Suspense fallback={<Loading />}>
      <CodeEditor {...props} />
    </Suspense>
  );
}
