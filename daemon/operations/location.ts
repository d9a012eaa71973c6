import type { Place, ProblemReport } from '../../provisioners/contract/problem.ts';
import type { State } from '../state/state.ts';
import type { Planners } from './planners.ts';

/**
 * A problem with the line of the user's own file that its field stands on (row K11). A problem without a field, or
 * with a place already, stays as it is; so does one whose field the user did not write (a default).
 */
export function locateProblem(
  state: State,
  planners: Planners,
  cluster: string,
  problem: ProblemReport,
): ProblemReport {
  const field = problem.place?.field;
  if (field === undefined || problem.place?.line !== undefined) return problem;
  const revision = state.revisions.newest(cluster);
  const name = state.clusters.get(cluster)?.name;
  if (revision === undefined || name === undefined) return problem;
  const document = problem.place?.document ?? `Cluster/${name}`;
  const place: Place | undefined = planners
    .parse(revision.text, revision.file, { providers: [], secrets: [], clusters: [] })
    .place(document, field);
  return { ...problem, place: { ...problem.place, document, ...place, field } };
}
