/**
 * The import rules of the house (ARCHITECTURE.md, "who may import whom"), checked on every import statement of every
 * source file. Prints each breach and exits 1; oxlint's import/no-cycle sees to circles.
 */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { parseSync } from 'oxc-parser';

interface Rule {
  /** Room the rule is about. */
  readonly from: RegExp;
  /** What it may import of ours; anything else of ours is a breach. */
  readonly may: readonly RegExp[];
  readonly because: string;
}

const root = resolve(import.meta.dirname, '..');
const contract = /^provisioners\/contract\//;

/** First matching rule counts; a file of a room may always import its own room. */
const rules: readonly Rule[] = [
  { from: contract, may: [contract], because: 'provisioners/contract imports nothing of ours' },
  {
    from: /^provisioners\/infrastructure\/([^/]+)\//,
    may: [contract],
    because: 'a provider imports only the contract, never another provider',
  },
  { from: /^provisioners\/payload\//, may: [contract], because: 'payload imports only the contract' },
  { from: /^provisioners\/addons\//, may: [contract], because: 'add-ons import only the contract' },
  {
    from: /^provisioners\/kubernetes\//,
    may: [contract, /^provisioners\/addons\/addons\.ts$/],
    because: 'steps import the contract and the list of add-ons; all I/O goes through their context',
  },
  { from: /^appliance\//, may: [/^provisioners\//], because: 'the appliance stands on provisioners only' },
  { from: /^daemon\/spec\//, may: [contract], because: 'spec is ground: it imports only the contract' },
  {
    from: /^daemon\/planning\//,
    may: [contract, /^daemon\/spec\//, /^provisioners\/kubernetes\//, /^provisioners\/addons\/addons\.ts$/],
    because: 'planning is pure: spec, contract, the step list, the version table and the add-on list',
  },
  {
    from: /^daemon\/state\//,
    may: [contract, /^appliance\/agent\/protocol\//],
    because: 'state is ground: it imports the contract and the link protocol',
  },
  {
    from: /^daemon\/access\//,
    may: [contract, /^daemon\/state\//, /^appliance\/agent\/protocol\//],
    because: 'access stands on state',
  },
  {
    from: /^daemon\/operations\//,
    may: [contract, /^daemon\/(state|spec|planning|access)\//, /^appliance\/agent\/protocol\//],
    because: 'operations stands on planning, access, state and spec',
  },
  {
    from: /^daemon\/api\//,
    may: [contract, /^daemon\/(operations|access|state|spec)\//, /^appliance\/agent\/protocol\//],
    because: 'the API stands on operations and access',
  },
  {
    from: /^daemon\/cli\//,
    may: [contract, /^daemon\/api\/(offline|types|routes|schemas?)\b.*\.ts$/],
    because: "the CLI is a client: it imports the API's types and nothing else of the daemon",
  },
  {
    from: /^daemon\/(main|composition|options|renewal)\.ts$/,
    may: [contract, /^daemon\//, /^appliance\/agent\/protocol\//],
    because: 'the composition root wires the daemon and nothing of the floors below but the link protocol',
  },
  { from: /^ui\//, may: [/^daemon\/api\/types/], because: "the UI imports the API's types and nothing else" },
  { from: /^(test|scripts)\//, may: [/./], because: '' },
];

/** The part of a path that counts as "its own room". */
function roomOf(path: string): string {
  const parts = path.split('/');
  const depth = path.startsWith('provisioners/infrastructure/') ? 3 : 2;
  return `${parts.slice(0, Math.min(depth, parts.length - 1)).join('/')}/`;
}

function importsOf(path: string): string[] {
  const source = readFileSync(join(root, path), 'utf8');
  const { module } = parseSync(path, source);
  const statics = module.staticImports.map((item) => item.moduleRequest.value);
  const exports = module.staticExports.flatMap((item) =>
    item.entries.flatMap((entry) => entry.moduleRequest?.value ?? []),
  );
  const dynamics = module.dynamicImports.map((item) =>
    source.slice(item.moduleRequest.start + 1, item.moduleRequest.end - 1),
  );
  return [...new Set([...statics, ...exports, ...dynamics])]
    .filter((specifier) => specifier.startsWith('.'))
    .map((specifier) => relative(root, resolve(root, dirname(path), specifier)));
}

const files = globSync('{appliance,daemon,provisioners,scripts,test,ui}/**/*.{ts,tsx}', { cwd: root });
const breaches: string[] = [];
for (const file of files) {
  const rule = rules.find((candidate) => candidate.from.test(file));
  if (rule === undefined) {
    breaches.push(`${file}: no import rule speaks of this room; add one to scripts/imports.ts`);
    continue;
  }
  for (const target of importsOf(file)) {
    if (target.startsWith(roomOf(file)) || rule.may.some((pattern) => pattern.test(target))) continue;
    breaches.push(`${file} imports ${target}: ${rule.because}`);
  }
}

if (breaches.length > 0) {
  console.error(breaches.join('\n'));
  console.error(`${breaches.length} import(s) break the rules of the house`);
  process.exit(1);
}
console.log(`imports: ${files.length} files keep the rules of the house`);
