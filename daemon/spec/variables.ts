import type { ProblemReport } from '../../provisioners/contract/problem.ts';
import { placeAt, type PlacedDocument } from './placing.ts';
import type { Path } from './schema/walk.ts';
import type { Node, ScalarNode } from './tree.ts';

const variable = /\$\{([A-Za-z_][A-Za-z0-9_]*)[^}]{0,80}\}/g;

/** Every `${X}` that whoever made the file forgot to put in (DESIGN §3): templating stays outside of Remuda. */
export function unresolvedVariables(document: PlacedDocument): ProblemReport[] {
  if (!document.root) return [];
  return scalarsOf(document.root, []).flatMap(({ node, path }) =>
    [...node.raw.matchAll(variable)].map(([, name], index) => {
      const offset = nthOccurrence(document.chunk.text, `\${${name}`, node.start, index);
      return {
        kind: 'user' as const,
        code: 'SPEC-019',
        summary: `\${${name}} was not replaced by a value.`,
        remedy: `Put the value in before Remuda reads the file, for example: envsubst < answers.yaml | remuda apply -f -`,
        place: placeAt(document, offset, path),
      };
    }),
  );
}

function nthOccurrence(text: string, wanted: string, from: number, skip: number): number {
  const first = text.indexOf(wanted, from);
  if (first === -1) return from;
  return skip === 0 ? first : Math.max(first, text.indexOf(wanted, first + 1));
}

function scalarsOf(node: Node, path: Path): { node: ScalarNode; path: Path }[] {
  if (node.kind === 'scalar') return [{ node, path }];
  if (node.kind === 'sequence') return node.items.flatMap((item, index) => scalarsOf(item, [...path, index]));
  return node.entries.flatMap((entry) => scalarsOf(entry.value, [...path, entry.key]));
}
