import { lazy, Suspense } from 'react';
import { Loading } from '../shell/loading.tsx';
import type { YamlEditorProps } from './editor-props.ts';

const CodeEditor = lazy(async () => ({ default: (await import('./code-editor.tsx')).CodeEditor }));

/** The YAML with line numbers, colours and the validator's words at their places. It comes when it is first wanted. */
export function YamlEditor(props: YamlEditorProps): React.JSX.Element {
  return (
    <Suspense fallback={<Loading />}>
      <CodeEditor {...props} />
    </Suspense>
  );
}
