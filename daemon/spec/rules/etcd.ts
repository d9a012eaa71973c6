import type { ClusterDocument } from '../documents.ts';
import type { DocumentProblem } from '../issue.ts';
import type { Path } from '../schema/walk.ts';
import type { ClusterContext } from './context.ts';

/** Whether etcd has machines of its own. */
export const isEtcdApart = ({ spec }: ClusterDocument): boolean => spec.etcd.topology === 'external';

/** How many machines etcd has of its own: none where each master has a member. */
export const etcdReplicas = (cluster: ClusterDocument): number =>
  isEtcdApart(cluster) ? cluster.spec.etcd.replicas : 0;

/** Even numbers of members. What is written about machines that there are none of is left alone: printed documents have it. */
export function etcdCount({ cluster }: ClusterContext): DocumentProblem[] {
  const path: Path = ['spec', 'etcd', 'replicas'];
  const replicas = etcdReplicas(cluster);
  if (replicas === 0 || replicas % 2 === 1) return [];
  return [
    {
      code: 'SPEC-068',
      path,
      summary: `An etcd of ${replicas} members survives no more failures than one of ${replicas - 1}: it needs a majority.`,
      remedy: `Write ${replicas - 1} or ${replicas + 1}.`,
    },
  ];
}
