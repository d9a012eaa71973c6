import type { ClusterDetail, OperationDetail } from '../../../../daemon/api/types.ts';
import type { Endpoint } from './topology-props.ts';

interface DesiredEndpoint {
  readonly spec?: {
    readonly controlPlane?: { readonly endpoint?: { readonly host?: unknown; readonly port?: unknown } };
  };
}

/** Steps after which a control plane is there, or on its way. */
const beginnings = new Set(['control-plane.init', 'endpoint.configure']);

/** The address of the API and whether it answers: as the run tells, and before that as it was last seen. */
export function endpointOf(
  operation: OperationDetail,
  cluster: ClusterDetail | undefined,
): Endpoint | undefined {
  const asked = (cluster?.desired as DesiredEndpoint | undefined)?.spec?.controlPlane?.endpoint;
  if (typeof asked?.host !== 'string') return undefined;
  const port = typeof asked.port === 'number' ? asked.port : 6443;
  const address = `${asked.host.includes(':') ? `[${asked.host}]` : asked.host}:${port}`;
  return { address, ...standingOfEndpoint(operation, cluster) };
}

function standingOfEndpoint(
  { kind, state, endedAt, stepList }: OperationDetail,
  cluster: ClusterDetail | undefined,
): Pick<Endpoint, 'standing' | 'detail'> {
  if (kind === 'delete') {
    const masters = stepList.filter(
      (step) => step.kind === 'machine.destroy' && step.role === 'control-plane',
    );
    const isGone = masters.length > 0 && masters.every((step) => step.state === 'succeeded');
    if (isGone || state === 'succeeded') return { standing: 'done', detail: 'removed' };
    if (masters.some((step) => step.state !== 'planned'))
      return endedAt === undefined
        ? { standing: 'running', detail: 'going away' }
        : { standing: 'cancelled', detail: 'not known' };
  }
  const version = cluster?.observed?.apiVersion;
  if (version !== undefined) return { standing: 'done', detail: `Kubernetes ${version}` };
  // The last step of a create has proven it, whatever the last look was before that.
  if (state === 'succeeded') return { standing: 'done', detail: 'answers' };
  const hasBegun = stepList.some((step) => beginnings.has(step.kind) && step.state !== 'planned');
  return hasBegun
    ? { standing: 'running', detail: 'coming up' }
    : { standing: 'planned', detail: 'not there yet' };
}
