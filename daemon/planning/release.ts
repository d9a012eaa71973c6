import type { Json } from '../../provisioners/contract/json.ts';
import type { Plan, PlannedStep } from '../../provisioners/contract/plan.ts';
import { nodeCordon } from '../../provisioners/kubernetes/steps/node-cordon.ts';
import { nodeUncordon } from '../../provisioners/kubernetes/steps/node-uncordon.ts';
import { newWorkAdmit, newWorkRefuse } from '../../provisioners/kubernetes/steps/new-work-refuse.ts';
import { about, aboutCluster, planStep } from './planned-step.ts';

/** What a release is planned from. */
export interface ReleaseRequest {
  readonly plan: Plan;
  /** Facts of the steps of the operation that ended well, by step id. */
  readonly facts: ReadonlyMap<string, Json>;
}

/** Steps after which a machine is no part of the cluster any more: nothing of it is to be given back. */
const pointsOfNoReturn = ['machine.destroy', 'machine.fence', 'node.remove'];

const isOurs = (facts: Json | undefined): boolean =>
  facts !== undefined &&
  facts !== null &&
  typeof facts === 'object' &&
  'ours' in facts &&
  facts['ours'] === true;

/** A deletion that ends without success lets new Services and claims come again, as long as there is a cluster. */
function admitAgain(facts: ReadonlyMap<string, Json>, input: Json): PlannedStep[] {
  if ([...facts.keys()].some((id) => id.startsWith('machine.destroy/'))) return [];
  const { access } = newWorkRefuse.schema.parse(input);
  return [planStep(newWorkAdmit, aboutCluster, { access }, [])];
}

/**
 * What an operation gives back when it ends without success: the cordons that it set, and nobody else's (DESIGN §5), and
 * that new Services are refused while a cluster is being deleted. The
 * nodes that it has sealed off or destroyed meanwhile are left as they are. Pure.
 */
export const releaseSteps = ({ plan, facts }: ReleaseRequest): PlannedStep[] =>
  plan.steps.flatMap(({ id, kind, subject, input }) => {
    if (kind === newWorkRefuse.kind) return admitAgain(facts, input);
    if (kind !== nodeCordon.kind || !isOurs(facts.get(id))) return [];
    if (pointsOfNoReturn.some((point) => facts.has(`${point}/${subject}`))) return [];
    const { node, access } = nodeCordon.schema.parse(input);
    return [planStep(nodeUncordon, about(subject), { node, access }, [])];
  });
