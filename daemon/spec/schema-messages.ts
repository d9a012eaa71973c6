import { z } from 'zod';
import { type DocumentProblem, type Issue, valueAt } from './issue.ts';
import { fieldsOf, formatPath, isOmittable, type Path, schemaAt, unwrap } from './schema/walk.ts';
import { secretSourceSchema } from './schema/secret.ts';
import { shorten } from './schema/shortening.ts';
import { listWords, nearest, synonym } from './suggestion.ts';

/** Most problems of one document that are told: beyond that the file is not an answer file. */
export const ISSUE_LIMIT = 200;

/** What the messages are made from. */
export interface MessageContext {
  readonly schema: z.core.$ZodType;
  /** The document as plain values. */
  readonly value: unknown;
  /** The text the user wrote for the scalar at a path; undefined for sections and for what is secret. */
  readonly written: (path: Path) => string | undefined;
}

type Parts = Omit<DocumentProblem, 'path'>;

/** An issue of the schema in the words of the file. One issue may be several problems (unknown fields). */
export function problemsOfIssue(issue: Issue, context: MessageContext): DocumentProblem[] {
  const path = issue.path.filter((part) => typeof part !== 'symbol');
  // Below a key of a Secret even the name of a field may be the secret itself.
  if (issue.code === 'unrecognized_keys' && path[0] === 'stringData') return [{ path, ...oddSecretValue() }];
  if (issue.code === 'unrecognized_keys')
    return issue.keys.slice(0, ISSUE_LIMIT).map((key) => unknownField([...path, key], context));
  if (issue.code === 'invalid_key') {
    const inner = issue.issues[0];
    // What stands where a secret's key should be may be the secret.
    const shown = path[0] === 'stringData' ? path.slice(0, 1) : path;
    return [{ path: shown, atKey: true, ...(inner ? customParts(inner) : oddValue()) }];
  }
  return [{ path, ...partsOf(issue, path, context) }];
}

function partsOf(issue: Issue, path: Path, context: MessageContext): Parts {
  if (issue.code === 'custom') return customParts(issue);
  if (isSecretSource(context, path)) return secretParts(path, context);
  const value = valueAt(context.value, path);
  if (value === undefined) return missing(path, context);
  if (value === null) return empty(path);
  if (issue.code === 'invalid_value')
    return choice(
      path,
      issue.values.map((allowed) => String(allowed)),
      context,
    );
  if (issue.code === 'too_big' || issue.code === 'too_small') return bounds(issue, path, context);
  if (issue.code === 'invalid_type') return wrongType(issue.expected, path, value, context);
  if (issue.code === 'invalid_union' && path[0] === 'stringData') return oddSecretValue();
  if (issue.code === 'invalid_union') {
    // Of the kinds a value may be of, the one that was meant says more than that it is none of them.
    const meant = issue.errors.flat().find(({ code }) => code !== 'invalid_type');
    if (meant !== undefined) return partsOf(meant, path, context);
  }
  return oddValue();
}

const oddSecretValue = (): Parts => ({
  code: 'SPEC-013',
  summary: 'This value of a secret is not text.',
  remedy: 'Put it in quotes, or write {fromEnv: NAME} or {fromFile: path}.',
});

const oddValue = (): Parts => ({
  code: 'SPEC-013',
  summary: 'This value cannot be used here.',
  remedy: 'See the field in the reference of the answer file.',
});

function customParts(issue: Issue | z.core.$ZodRawIssue): Parts {
  const params: { code?: unknown; summary?: unknown; remedy?: unknown } =
    'params' in issue && issue.params ? issue.params : {};
  const { code, summary, remedy } = params;
  if (typeof code !== 'string' || typeof summary !== 'string' || typeof remedy !== 'string')
    return oddValue();
  return { code, summary, remedy };
}

const isSecretSource = (context: MessageContext, path: Path): boolean => {
  const { schema } = schemaAt(context.schema, path);
  return schema !== undefined && unwrap(schema).inner === secretSourceSchema;
};

function secretParts(path: Path, context: MessageContext): Parts {
  if (valueAt(context.value, path) === undefined) return missing(path, context);
  return {
    code: 'SPEC-072',
    summary: `"${String(path.at(-1))}" is a secret and cannot stand in the file itself.`,
    remedy: 'Write {secretRef: name}, {fromEnv: NAME} or {fromFile: path}.',
  };
}

function missing(path: Path, context: MessageContext): Parts {
  const { metadata } = schemaAt(context.schema, path);
  const name = String(path.at(-1));
  const example = metadata?.example;
  const isSimple = ['string', 'number', 'boolean'].includes(typeof example);
  return {
    code: 'SPEC-010',
    summary: `"${formatPath(path)}" is missing.`,
    remedy: isSimple
      ? `Add it, for example \`${name}: ${JSON.stringify(example)}\`.`
      : `Add "${name}" to ${path.length === 1 ? 'the document' : 'this section'}.`,
  };
}

const empty = (path: Path): Parts => ({
  code: 'SPEC-012',
  summary: `Nothing follows the colon of "${String(path.at(-1))}".`,
  remedy: 'Write a value, or leave the line out.',
});

function choice(path: Path, allowed: readonly string[], context: MessageContext): Parts {
  const written = context.written(path);
  const meant = written === undefined ? undefined : nearest(written, allowed);
  const name = String(path.at(-1));
  return {
    code: 'SPEC-014',
    summary:
      written === undefined
        ? `"${name}" is a section here, where one word is expected.`
        : `"${written}" is not a value of "${name}".`,
    remedy:
      meant === undefined
        ? `Write ${listWords(allowed)}.`
        : `Did you mean ${meant}? Possible: ${listWords(allowed)}.`,
  };
}

function bounds(
  issue: Extract<Issue, { code: 'too_big' | 'too_small' }>,
  path: Path,
  context: MessageContext,
): Parts {
  const name = String(path.at(-1));
  const written = context.written(path);
  const limit = Number(issue.code === 'too_big' ? issue.maximum : issue.minimum);
  const direction = issue.code === 'too_big' ? 'at most' : 'at least';
  if (issue.origin === 'array')
    return {
      code: 'SPEC-016',
      summary: `"${name}" must have ${direction} ${limit} ${limit === 1 ? 'entry' : 'entries'}.`,
      remedy: issue.code === 'too_big' ? 'Remove some.' : addRemedy(path, context),
    };
  if (issue.origin === 'string') return empty(path);
  return {
    code: 'SPEC-015',
    summary: `${written ?? 'This number'} is out of bounds for "${name}".`,
    remedy: `Write a whole number of ${direction} ${limit}.`,
  };
}

function addRemedy(path: Path, context: MessageContext): string {
  const { schema } = schemaAt(context.schema, path);
  return schema !== undefined && isOmittable(schema) ? 'Add one, or leave the field out.' : 'Add one.';
}

const typeWords: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a whole number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a section with fields',
  record: 'a section with fields',
};

function wrongType(expected: string, path: Path, value: unknown, context: MessageContext): Parts {
  const name = String(path.at(-1));
  const written = context.written(path);
  const what = typeWords[expected] ?? 'another kind of value';
  if (name === 'version' && typeof value === 'number')
    return {
      code: 'SPEC-032',
      summary: `${written} without quotes is a number in YAML, read as ${value}.`,
      remedy: `Put the version in quotes, with all three numbers, such as "${written}.${String(written).split('.').length > 1 ? '0' : '0.0'}".`,
    };
  if (expected === 'boolean')
    return {
      code: 'SPEC-013',
      summary: `"${written ?? name}" is neither true nor false.`,
      remedy: typeRemedy(expected, name, written),
    };
  const rule = expected === 'string' && written !== undefined ? ruleAbout(path, written, context) : undefined;
  if (rule) return rule;
  if (expected === 'string' && written !== undefined)
    return {
      code: 'SPEC-013',
      summary: `${written} without quotes is not text in YAML, and "${name}" is text.`,
      remedy: `Put it in quotes: "${written}".`,
    };
  if (Array.isArray(value) || typeof value === 'object')
    return {
      code: 'SPEC-013',
      summary: `"${name}" is ${Array.isArray(value) ? 'a list' : 'a section'} here, where ${what} is expected.`,
      remedy: exampleRemedy(what, path, context),
    };
  const isQuotedNumber = ['number', 'int'].includes(expected) && /^-?\d+$/.test(written ?? '');
  if (isQuotedNumber)
    return {
      code: 'SPEC-013',
      summary: `"${written}" in quotes is text, not a number.`,
      remedy: `Leave the quotes out: ${name}: ${written}.`,
    };
  return {
    code: 'SPEC-013',
    summary: `"${written}" is not ${what}.`,
    remedy: typeRemedy(expected, name, written),
  };
}

/** What the field's own rule says of the text; undefined when quotes are all that is missing. */
function ruleAbout(path: Path, written: string, context: MessageContext): Parts | undefined {
  const { schema } = schemaAt(context.schema, path);
  const result = schema && z.safeParse(schema, written);
  const issue = result?.error?.issues[0];
  return issue?.code === 'custom' ? customParts(issue) : undefined;
}

function exampleRemedy(what: string, path: Path, context: MessageContext): string {
  const example = schemaAt(context.schema, path).metadata?.example;
  return typeof example === 'string' || typeof example === 'number'
    ? `Write ${what}, such as ${example}.`
    : `Write ${what}.`;
}

function typeRemedy(expected: string, name: string, written: string | undefined): string {
  if (['number', 'int'].includes(expected)) return 'Write a whole number, such as 3.';
  if (expected === 'boolean') return 'Write true or false, without quotes.';
  if (expected === 'array') return `Write a list: ${name}: [${written ?? ''}].`;
  return 'Write the fields below it, indented.';
}

function unknownField(path: Path, context: MessageContext): DocumentProblem {
  const name = String(path.at(-1));
  const parent = path.slice(0, -1);
  const { schema } = schemaAt(context.schema, parent);
  const inner = schema && unwrap(schema).inner;
  const known = inner instanceof z.ZodObject ? Object.keys(inner.shape) : [];
  const where = parent.length === 0 ? 'the document' : `"${formatPath(parent)}"`;
  return {
    code: 'SPEC-011',
    path,
    atKey: true,
    summary: `There is no field "${shorten(name)}" in ${where}.`,
    remedy: unknownRemedy(name, known, context),
  };
}

function unknownRemedy(name: string, known: readonly string[], context: MessageContext): string {
  const meant = nearest(name, known) ?? synonym(name, known);
  if (name === '<<') return 'Merge keys are not read; write the fields out.';
  if (meant !== undefined) return `Did you mean ${meant}?`;
  const elsewhere = fieldsOf(context.schema).filter((entry) => entry.path.split('.').at(-1) === name);
  if (elsewhere[0] && elsewhere.length === 1) return `Did you mean ${elsewhere[0].path}?`;
  return known.length === 0 ? 'Remove it.' : `Remove it. Possible here: ${listWords(known)}.`;
}
