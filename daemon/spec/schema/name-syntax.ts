import type { SyntaxProblem } from './values.ts';

const label = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/;

/** The nearest valid label to a text, for the remedy; undefined when nothing is left. */
function nearestLabel(value: string): string | undefined {
  const candidate = value
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 63)
    .replace(/-+$/, '');
  return candidate === '' ? undefined : candidate;
}

/** Rule: a DNS label (RFC 1123), at most 63 characters. */
export function labelNameProblem(value: string): SyntaxProblem | undefined {
  if (value.length <= 63 && label.test(value)) return undefined;
  const nearest = nearestLabel(value);
  return {
    code: 'SPEC-020',
    summary: `"${value}" is not a valid name: only lower-case letters, digits and hyphens, beginning and ending with a letter or digit, at most 63 characters.`,
    remedy: nearest === undefined ? 'Write a name such as prod-east.' : `Write ${nearest}.`,
  };
}

/** Rule: a DNS domain of labels (RFC 1123), at most 253 characters. */
export function domainProblem(value: string): SyntaxProblem | undefined {
  const isDomain =
    value.length <= 253 && value.split('.').every((part) => part.length <= 63 && label.test(part));
  if (isDomain) return undefined;
  return {
    code: 'SPEC-028',
    summary: `"${value}" is not a DNS domain.`,
    remedy: 'Write lower-case labels with dots between them, such as cluster.local.',
  };
}

/** Rule: Kubernetes label key: optional DNS prefix and slash, then at most 63 characters. */
export function labelKeyProblem(value: string): SyntaxProblem | undefined {
  const parts = value.split('/');
  const name = parts.at(-1) ?? '';
  const prefix = parts.length === 2 ? (parts[0] ?? '') : undefined;
  const isPrefixed = prefix === undefined || domainProblem(prefix) === undefined;
  const isNamed = name.length <= 63 && /^[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?$/.test(name);
  if (parts.length <= 2 && isPrefixed && isNamed) return undefined;
  return {
    code: 'SPEC-029',
    summary: `"${value}" is not a valid label key: an optional DNS prefix and slash, then at most 63 letters, digits, hyphens, underscores and dots that begin and end with a letter or digit.`,
    remedy: 'Write a key such as example.org/team.',
  };
}

/** Rule: Kubernetes label value: empty, or at most 63 characters. */
export function labelValueProblem(value: string): SyntaxProblem | undefined {
  if (value === '' || (value.length <= 63 && /^[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?$/.test(value)))
    return undefined;
  return {
    code: 'SPEC-030',
    summary: `"${value}" is not a valid label value: at most 63 letters, digits, hyphens, underscores and dots that begin and end with a letter or digit.`,
    remedy: 'Write a value such as team-a, or leave it empty.',
  };
}

/** Rule: key of a value in a Secret. The text is not repeated: who errs here may have put the secret itself. */
export function secretKeyProblem(value: string): SyntaxProblem | undefined {
  if (value.length <= 253 && /^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(value)) return undefined;
  return {
    code: 'SPEC-034',
    summary: 'This is not a key of a secret: only letters, digits, dots, hyphens and underscores.',
    remedy: 'Write a key such as password, and the value behind the colon.',
  };
}

/** Rule: name of a command line flag, without its leading hyphens. */
export function flagProblem(value: string): SyntaxProblem | undefined {
  if (value.length <= 100 && /^[a-z][a-z0-9-]*$/.test(value)) return undefined;
  return {
    code: 'SPEC-035',
    summary: `"${value}" is not the name of a flag.`,
    remedy: 'Write it without the leading hyphens, such as v or audit-log-maxage.',
  };
}
