/** Writes the generated pages of the manual anew; test/unit/docs fails when one is stale. */
import { writeFileSync } from 'node:fs';
import { generatedPages } from './reference-pages.ts';

for (const [path, render] of Object.entries(generatedPages))
  writeFileSync(new URL(`../${path}`, import.meta.url), render());
