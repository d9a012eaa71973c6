import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';

/*
 * Memory first, before anything is loaded (goal: < 150 MB idle, DESIGN §9). Measured here: 162 MB without these two
 * lines, 109 MB with them. The young generation stays at its first size instead of growing to 48 MB; code that was
 * stripped of its types and compiled once is read from the state folder, so the stripper is not even loaded.
 */
process.umask(0o077);
setFlagsFromString('--semi-space-growth-factor=1');
const stateWord = process.argv.indexOf('--state') + 1;
const folder = stateWord > 0 ? process.argv[stateWord] : undefined;
if (folder !== undefined) enableCompileCache(join(folder, 'compiled'));

const { runDaemon } = await import('./composition.ts');
await runDaemon(process.argv.slice(2));
