import { writeFileSync } from 'node:fs';
import { renderReference } from '../daemon/spec/reference.ts';

writeFileSync(new URL('../ui/docs/answer-file.md', import.meta.url), renderReference());
