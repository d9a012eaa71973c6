import { createHash } from 'node:crypto';
import type { AuthoritySource } from '../../provisioners/contract/authority.ts';
import { canonicalJson } from '../../provisioners/contract/json.ts';
import type { ProblemReport } from '../../provisioners/contract/problem.ts';
import type { DesiredCluster } from './planners.ts';

/** What is wrong with an authority, or with the server that signs, is of the field that names it. */
export function atAuthority(problem: ProblemReport, { name, authority }: DesiredCluster): ProblemReport {
  const isAbout = authority !== undefined && /^(PKI|OUTGOING)-/.test(problem.code);
  if (!isAbout || problem.place !== undefined) return problem;
  const field = `spec.certificates.authority.${authority.type}`;
  return { ...problem, place: { document: `Cluster/${name}`, field } };
}

/** Tells one authority from another. Names secrets and holds none. */
export const digestOfAuthority = (source: AuthoritySource): string =>
  createHash('sha256').update(canonicalJson(source)).digest('hex');
