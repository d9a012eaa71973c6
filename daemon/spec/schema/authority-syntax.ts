import { isServerUrl } from './address-syntax.ts';
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

/** Rule: `https://host[:port]` of a server that signs, without a user. The text is not repeated: it may hold a password. */
export function authorityUrlProblem(value: string): SyntaxProblem | undefined {
  if (value.includes('@'))
    return {
      code: 'SPEC-113',
      summary: "A user name or password stands in the address of the authority's server.",
      remedy: 'Remove everything up to the "@": the secret that "credentials" names has the token.',
    };
  if (isServerUrl(value)) return undefined;
  return {
    code: 'SPEC-113',
    summary: 'This is not the address of a Vault or OpenBao server.',
    remedy: 'Write https, host and port, such as https://vault.dc1.example:8200.',
  };
}
