import { renderReference } from '../daemon/spec/reference.ts';
import { renderCommands } from './reference-commands.ts';
import { renderPreflight } from './reference-preflight.ts';
import { renderProblems } from './reference-problems.ts';
import { renderRoles } from './reference-roles.ts';
import { renderRows } from './reference-tests.ts';

/** Pages of the manual that are made from the program itself, by their path from the top of the repository. */
export const generatedPages: Readonly<Record<string, () => string>> = {
  'ui/docs/answer-file.md': renderReference,
  'ui/docs/commands.md': renderCommands,
  'ui/docs/problems.md': renderProblems,
  'ui/docs/preflight.md': renderPreflight,
  'ui/docs/roles.md': renderRoles,
  'ui/docs/complaints.md': renderRows,
};
