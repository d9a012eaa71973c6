import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { yaml } from '@codemirror/lang-yaml';
import { bracketMatching, indentOnInput } from '@codemirror/language';
import { type Diagnostic, lintGutter, lintKeymap, setDiagnostics } from '@codemirror/lint';
import { Annotation, EditorState, type Text } from '@codemirror/state';
import { EditorView, keymap, lineNumbers } from '@codemirror/view';
import { useEffect, useRef } from 'react';
import type { ProblemReport } from '../problem/problem-view.tsx';
import type { YamlEditorProps } from './editor-props.ts';
import { editorTheme } from './theme.ts';
import './editor.css';

/**
 * CodeMirror in a shadow tree: there it puts its style sheets through `adoptedStyleSheets`, which the strict
 * Content-Security-Policy allows, and not through `<style>` elements, which it forbids.
 */
export function CodeEditor(props: YamlEditorProps): React.JSX.Element {
  const { text, problems, label, onChange } = props;
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(undefined);
  const changed = useRef(onChange);
  const isReadOnly = onChange === undefined;
  useEffect(() => {
    changed.current = onChange;
  });
  useEffect(() => {
    if (host.current === null) return;
    const root = host.current.shadowRoot ?? host.current.attachShadow({ mode: 'open' });
    const editor = new EditorView({
      root,
      parent: root,
      state: EditorState.create({
        doc: '',
        extensions: extensionsFor(label, isReadOnly, (now) => changed.current?.(now)),
      }),
    });
    view.current = editor;
    return () => {
      editor.destroy();
      view.current = undefined;
    };
  }, [isReadOnly, label]);
  useEffect(() => {
    if (view.current) showText(view.current, text);
  }, [text, isReadOnly, label]);
  useEffect(() => {
    const editor = view.current;
    if (editor) editor.dispatch(setDiagnostics(editor.state, diagnosticsOf(problems, editor.state.doc)));
  }, [problems, isReadOnly, label]);
  return <div ref={host} className="remuda-editor" />;
}

/** Marks transactions that come from outside, so that they are not reported back as typing. */
const fromOutside = Annotation.define<boolean>();

function extensionsFor(label: string, isReadOnly: boolean, onTyped: (text: string) => void) {
  return [
    lineNumbers(),
    history(),
    yaml(),
    indentOnInput(),
    bracketMatching(),
    lintGutter(),
    EditorState.tabSize.of(2),
    EditorState.readOnly.of(isReadOnly),
    EditorView.lineWrapping,
    EditorView.contentAttributes.of({
      'aria-label': label,
      tabindex: '0',
      ...(isReadOnly ? { 'aria-readonly': 'true' } : {}),
      spellcheck: 'false',
    }),
    // Tab is not bound: with the keyboard alone one gets out of the editor as one came in.
    keymap.of([...defaultKeymap, ...historyKeymap, ...lintKeymap]),
    editorTheme,
    EditorView.updateListener.of((update) => {
      const isTyped = update.transactions.some(
        (transaction) => transaction.docChanged && !transaction.annotation(fromOutside),
      );
      if (isTyped) onTyped(update.state.doc.toString());
    }),
  ];
}

/** Changes only what differs, so that cursor and scroll position stay while the form writes. */
function showText(editor: EditorView, text: string): void {
  const now = editor.state.doc.toString();
  if (now === text) return;
  let head = 0;
  while (head < now.length && head < text.length && now[head] === text[head]) head += 1;
  let tail = 0;
  const most = Math.min(now.length, text.length) - head;
  while (tail < most && now[now.length - 1 - tail] === text[text.length - 1 - tail]) tail += 1;
  editor.dispatch({
    changes: { from: head, to: now.length - tail, insert: text.slice(head, text.length - tail) },
    annotations: fromOutside.of(true),
  });
}

function diagnosticsOf(problems: readonly ProblemReport[], document: Text): readonly Diagnostic[] {
  return problems.flatMap((problem): Diagnostic[] => {
    const { line, column = 1 } = problem.place ?? {};
    if (line === undefined || line < 1) return [];
    const found = document.line(Math.min(line, document.lines));
    const from = Math.min(found.from + column - 1, found.to);
    const message = [problem.summary, problem.remedy].filter((words) => words !== undefined).join(' ');
    return [{ from, to: Math.max(found.to, from), severity: 'error', source: problem.code, message }];
  });
}
