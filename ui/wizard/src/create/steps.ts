import type { ProblemReport } from '../problem/problem-view.tsx';

/** The steps at which a draft is filled in, in order. */
export const draftSteps = [
  'supplies',
  'provider',
  'cluster',
  'machines',
  'network',
  'hooks',
  'preflight',
  'review',
] as const;
export type DraftStep = (typeof draftSteps)[number];

/** Narrows a word of an address. */
export const isDraftStep = (word: string | undefined): word is DraftStep =>
  draftSteps.some((step) => step === word);

/** Which step asks for a field, by the first words that match. */
const homes: readonly (readonly [RegExp, DraftStep])[] = [
  [/^spec\.provider\b/, 'provider'],
  [/^spec\.controlPlane\.(endpoint|certSANs)\b/, 'cluster'],
  [/^spec\.(controlPlane|etcd|workers)\b/, 'machines'],
  [/^spec\.(clusterNetwork|nodeNetwork|addons|proxy)\b/, 'network'],
  [/^spec\.hooks\b/, 'hooks'],
  [/^(metadata|spec)\b/, 'cluster'],
];

/**
 * The step at which a problem is mended; undefined for what no form shows, such as broken YAML.
 * @param providers names of documents of kind Provider, as problems name them
 */
export function stepOf(problem: ProblemReport, providers: ReadonlySet<string>): DraftStep | undefined {
  const { document, field } = problem.place ?? {};
  if (field === undefined || document === undefined) return undefined;
  if (document.startsWith('Provider/') || providers.has(document)) return 'provider';
  return homes.find(([pattern]) => pattern.test(field))?.[1];
}
