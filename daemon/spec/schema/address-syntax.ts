import { isNetworkAddress, parseAddress, parseNetwork, parseRange } from './address.ts';
import { domainProblem } from './name-syntax.ts';
import type { SyntaxProblem } from './values.ts';

const isVersion6 = (value: string) => /^[0-9a-fA-F:]*:[0-9a-fA-F:.]*(\/\d+)?$/.test(value);

const version6Problem = (value: string): SyntaxProblem => ({
  code: 'SPEC-098',
  summary: `"${value}" is IPv6, which this version of Remuda does not build yet.`,
  remedy: 'Use IPv4 here.',
});

/** Rule: an IPv4 network with its host bits zero. */
export function cidrProblem(value: string): SyntaxProblem | undefined {
  const network = parseNetwork(value);
  if (network && isNetworkAddress(value)) return undefined;
  if (isVersion6(value)) return version6Problem(value);
  return {
    code: 'SPEC-023',
    summary: network
      ? `"${value}" is an address inside a network, not the network itself.`
      : `"${value}" is not an IPv4 network.`,
    remedy: network ? `Write ${network.text}.` : 'Write address and prefix length, such as 10.244.0.0/16.',
  };
}

/** Rule: an IPv4 address. */
export function ipProblem(value: string): SyntaxProblem | undefined {
  if (parseAddress(value) !== undefined) return undefined;
  if (isVersion6(value)) return version6Problem(value);
  return {
    code: 'SPEC-024',
    summary: `"${value}" is not an IPv4 address.`,
    remedy: 'Write four numbers from 0 to 255, such as 10.20.0.10.',
  };
}

/** Rule: `first-last` or a CIDR, in order. */
export function rangeProblem(value: string): SyntaxProblem | undefined {
  if (value.includes('/')) return cidrProblem(value);
  if (parseRange(value)) return undefined;
  if (isVersion6(value)) return version6Problem(value);
  const [first, last, ...rest] = value.split('-').map((part) => part.trim());
  const from = parseAddress(first ?? '');
  const to = parseAddress(last ?? '');
  const isBackwards = rest.length === 0 && from !== undefined && to !== undefined && from > to;
  return {
    code: 'SPEC-025',
    summary: isBackwards
      ? `The range "${value}" ends before it begins.`
      : `"${value}" is not a range of IPv4 addresses.`,
    remedy: isBackwards
      ? `Write ${last}-${first}.`
      : 'Write first and last address, such as 10.20.1.10-10.20.1.250, or a network such as 10.20.1.0/24.',
  };
}

/** Rule: an IPv4 address or a DNS name. */
export function hostProblem(value: string): SyntaxProblem | undefined {
  if (parseAddress(value) !== undefined) return undefined;
  const isNumeric = /^[\d.]+$/.test(value);
  if (isNumeric) return ipProblem(value);
  if (isVersion6(value)) return version6Problem(value);
  if (domainProblem(value) === undefined) return undefined;
  const [host, port] = value.split(':');
  if (/^\d+$/.test(port ?? '') && hostProblem(host ?? '') === undefined)
    return {
      code: 'SPEC-031',
      summary: `"${value}" has a port; only the host is asked for here.`,
      remedy: `Write ${host}.`,
    };
  const isUrl = /^[a-z][a-z0-9+.-]*:\/\//i.test(value);
  return {
    code: 'SPEC-031',
    summary: isUrl
      ? `"${value}" is a URL; only the host is asked for here.`
      : `"${value}" is neither an IPv4 address nor a DNS name.`,
    remedy: 'Write an address such as 10.20.0.10 or a lower-case name such as api.example.',
  };
}

/**
 * Rule: a URL of a proxy, without credentials: URLs are printed and logged. The text is not repeated, because it may
 * hold a password.
 */
export function proxyProblem(value: string): SyntaxProblem | undefined {
  if (value.includes('@'))
    return {
      code: 'SPEC-065',
      summary: 'A user name or password stands in the URL of the proxy.',
      remedy: 'Remove everything up to the "@"; credentials in URLs are shown by too many programs.',
    };
  const parts = /^https?:\/\/([^/:]+)(:\d{1,5})?\/?$/.exec(value);
  if (parts && hostProblem(parts[1] ?? '') === undefined) return undefined;
  return {
    code: 'SPEC-033',
    summary: 'This is not the URL of a proxy.',
    remedy: 'Write scheme, host and port, such as http://proxy.dc1.example:3128.',
  };
}

/** Whether it is `https://host[:port]`, and nothing else. */
export function isServerUrl(value: string): boolean {
  const parts = /^https:\/\/([^/:]+)(?::(\d{1,5}))?\/?$/.exec(value);
  const isPort = parts?.[2] === undefined || (Number(parts[2]) >= 1 && Number(parts[2]) <= 65_535);
  return parts !== null && isPort && hostProblem(parts[1] ?? '') === undefined;
}
