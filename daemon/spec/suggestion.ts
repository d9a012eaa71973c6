import { distance } from 'fastest-levenshtein';

/** The candidate a person most likely meant: by case, then by at most a third of its letters wrong. */
export function nearest(written: string, candidates: readonly string[]): string | undefined {
  if (written.length > 64) return undefined;
  const lower = written.toLowerCase();
  const same = candidates.find((candidate) => candidate.toLowerCase() === lower);
  if (same !== undefined) return same;
  // Two letters swapped count as two edits, which is too many for a short word.
  const sorted = [...lower].sort().join('');
  const swapped = candidates.find((candidate) => [...candidate.toLowerCase()].sort().join('') === sorted);
  if (swapped !== undefined) return swapped;
  const ranked = candidates
    .map((candidate) => ({ candidate, wrong: distance(lower, candidate.toLowerCase()) }))
    .sort((a, b) => a.wrong - b.wrong || (a.candidate < b.candidate ? -1 : 1));
  const best = ranked[0];
  const limit = Math.max(1, Math.floor(written.length / 3));
  return best && best.wrong <= limit ? best.candidate : undefined;
}

/** What other tools call our fields. */
const synonyms: Readonly<Record<string, string>> = {
  masters: 'controlPlane',
  master: 'controlPlane',
  controlplanes: 'controlPlane',
  nodes: 'workers',
  nodepools: 'workers',
  workerpools: 'workers',
  count: 'replicas',
  size: 'replicas',
  cpu: 'cpus',
  vcpus: 'cpus',
  cores: 'cpus',
  ram: 'memory',
  mem: 'memory',
  cidr: 'cidrBlocks',
  cidrs: 'cidrBlocks',
  podsubnet: 'pods',
  podcidr: 'pods',
  servicesubnet: 'services',
  vip: 'host',
  address: 'host',
  sans: 'certSANs',
  nameservers: 'dns',
  pools: 'ranges',
  pool: 'ranges',
  cni: 'network',
  ingress: 'gateway',
  data: 'stringData',
};

/** The field another tool's word stands for, when it is one of the candidates. */
export function synonym(written: string, candidates: readonly string[]): string | undefined {
  const meant = synonyms[written.toLowerCase()];
  return meant !== undefined && candidates.includes(meant) ? meant : undefined;
}

/** `a, b or c`. */
export function listWords(words: readonly string[]): string {
  const last = words.at(-1) ?? '';
  return words.length < 2 ? last : `${words.slice(0, -1).join(', ')} or ${last}`;
}
