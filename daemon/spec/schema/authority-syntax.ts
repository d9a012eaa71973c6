import type { SyntaxProblem } from './values.ts';

const longestMount = 200;

/** Rule: path of an engine of Vault, such as `pki` or `teams/kubernetes/pki`: it becomes part of a URL. */
export function mountProblem(value: string): SyntaxProblem | undefined {
  if (value.length <= longestMount && /^[A-Za-z0-9_-]+(?:\/[A-Za-z0-9_-]+)*$/.test(value)) return undefined;
  return {
    code: 'SPEC-113',
    summary: `"${value}" is not the path of an engine.`,
    remedy: 'Write it as `vault secrets list` shows it, without the slash at its end, such as pki.',
  };
}
