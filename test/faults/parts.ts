import type { AgentQuestions } from '../../appliance/agent/protocol.ts';
import type { DesiredCluster, DesiredProvider, Planners } from '../../daemon/operations/planners.ts';
import { describePlan, planCluster, planDeletion } from '../../daemon/planning/planner.ts';
import { completeCluster } from '../../daemon/spec/completion.ts';
import { isCluster, type ClusterDocument, type ProviderDocument } from '../../daemon/spec/documents.ts';
import { changedFields } from '../../daemon/spec/mutability.ts';
import { parseStream } from '../../daemon/spec/stream.ts';
import type { Json, JsonObject } from '../../provisioners/contract/json.ts';
import { Transient } from '../../provisioners/contract/problem.ts';
import { publicKeysOf } from './fake-keys.ts';
import { steps } from '../../provisioners/kubernetes/steps.ts';
import type { Door } from '../fleet/ports/door.ts';
import { fleetPorts, fakeSecrets } from '../fleet/ports/ports.ts';
import { observeFleet } from '../fleet/observation.ts';

const asJson = (value: unknown): JsonObject => JSON.parse(JSON.stringify(value)) as JsonObject;

const providers = new Map<string, ProviderDocument>();

function desiredProvider(document: ProviderDocument): DesiredProvider {
  providers.set(document.metadata.name, document);
  const section = document.spec.lab ?? {};
  return {
    name: document.metadata.name,
    config: { name: document.metadata.name, type: document.spec.type, config: asJson(section) },
    document: asJson(document),
    site: 'default',
    destination: document.metadata.name,
  };
}

function desiredCluster(document: ClusterDocument): DesiredCluster {
  const provider = providers.get(document.spec.provider);
  if (provider === undefined)
    throw new Error(`no provider ${document.spec.provider} was read before the cluster`);
  const { nodeNetwork, endpointHost } = completeCluster(document, provider);
  const { port } = document.spec.controlPlane.endpoint;
  return {
    name: document.metadata.name,
    provider: document.spec.provider,
    document: asJson(document),
    apiPort: 6444,
    destroyLimit: document.spec.maintenance.destroyLimit,
    isProtected: document.spec.deletion.protected,
    ...(nodeNetwork === undefined ? {} : { nodeNetwork }),
    ...(endpointHost === undefined ? {} : { endpoint: { host: endpointHost, port } }),
  };
}

const clusterOf = (desired: DesiredCluster): ClusterDocument =>
  desired.document as unknown as ClusterDocument;
const providerOf = (provider: DesiredProvider): ProviderDocument =>
  provider.document as unknown as ProviderDocument;
