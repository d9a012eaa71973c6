import { HighlightStyle, syntaxHighlighting } from '@codemirror/language';
import type { Extension } from '@codemirror/state';
import { EditorView } from '@codemirror/view';
import { tags } from '@lezer/highlight';

/** PatternFly's tokens reach into the shadow tree; with them the editor follows light and dark by itself. */
const look = EditorView.theme({
  '&': {
    height: '100%',
    color: 'var(--pf-t--global--text--color--regular)',
    backgroundColor: 'transparent',
    fontSize: 'var(--pf-t--global--font--size--body--sm)',
  },
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': { fontFamily: 'var(--pf-t--global--font--family--mono)', lineHeight: '1.6' },
  '.cm-content': { caretColor: 'var(--pf-t--global--text--color--regular)', paddingBlock: '0.75rem' },
  '.cm-gutters': {
    backgroundColor: 'transparent',
    color: 'var(--pf-t--global--text--color--subtle)',
    border: '0',
  },
  '.cm-cursor': { borderLeftColor: 'var(--pf-t--global--text--color--regular)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': {
    backgroundColor: 'var(--pf-t--global--background--color--highlight--default)',
  },
  '.cm-tooltip': {
    color: 'var(--pf-t--global--text--color--regular)',
    backgroundColor: 'var(--pf-t--global--background--color--floating--default)',
    border: '1px solid var(--pf-t--global--border--color--default)',
    borderRadius: 'var(--pf-t--global--border--radius--small)',
    maxWidth: '32rem',
  },
  '.cm-diagnostic': { fontFamily: 'var(--pf-t--global--font--family--body)', padding: '0.5rem 0.75rem' },
});

const colours = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: 'var(--remuda-yaml-key)' },
  { tag: [tags.string, tags.special(tags.string)], color: 'var(--remuda-yaml-string)' },
  { tag: [tags.number, tags.bool, tags.null], color: 'var(--remuda-yaml-number)' },
  { tag: tags.comment, color: 'var(--pf-t--global--text--color--subtle)', fontStyle: 'italic' },
  { tag: [tags.meta, tags.separator], color: 'var(--pf-t--global--text--color--subtle)' },
]);

/** How the editor looks. */
export const editorTheme: Extension = [look, syntaxHighlighting(colours)];
