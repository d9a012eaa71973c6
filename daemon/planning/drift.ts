import type { Json } from '../../provisioners/contract/json.ts';
import type { DriftItem, DriftRemedy, Observed } from '../../provisioners/contract/observed.ts';
import {
  type PlanChange,
  type PlannedStep,
  resolveReferences,
  stepId,
} from '../../provisioners/contract/plan.ts';
import { phases } from '../../provisioners/contract/step.ts';
import { addonInstall } from '../../provisioners/kubernetes/steps/addon-install.ts';
import { apiServerConfigure } from '../../provisioners/kubernetes/steps/api-server-configure.ts';
import { authoritiesFollow } from '../../provisioners/kubernetes/steps/authorities-follow.ts';
import { clusterAccessGrant } from '../../provisioners/kubernetes/steps/cluster-access-grant.ts';
import { clusterVerify } from '../../provisioners/kubernetes/steps/cluster-verify.ts';
import { containerdStart } from '../../provisioners/kubernetes/steps/containerd-start.ts';
import { endpointConfigure } from '../../provisioners/kubernetes/steps/endpoint-configure.ts';
import { etcdEndpointsPublish } from '../../provisioners/kubernetes/steps/etcd-endpoints-publish.ts';
import { hostKeyGenerate } from '../../provisioners/kubernetes/steps/host-key-generate.ts';
import { hostKeyReplace } from '../../provisioners/kubernetes/steps/host-key-replace.ts';
import { kubeletInstall } from '../../provisioners/kubernetes/steps/kubelet-install.ts';
import { kubeletServingApprove } from '../../provisioners/kubernetes/steps/kubelet-serving-approve.ts';
import { machineConfigure } from '../../provisioners/kubernetes/steps/machine-configure.ts';
import { machineCreate } from '../../provisioners/kubernetes/steps/machine-create.ts';
import { nodeLabel } from '../../provisioners/kubernetes/steps/node-label.ts';
import { pkiInstall } from '../../provisioners/kubernetes/steps/pki-install.ts';
import { steps as everyStep } from '../../provisioners/kubernetes/steps.ts';
import { planContext } from './cluster-plan.ts';
import { creationSteps } from './creation.ts';
import { differenceOf, requireSight } from './difference.ts';
import type { ClusterRequest } from './request.ts';
import { machinesOnDuty } from './wanted.ts';

/**
 * Steps whose apply is safe on a machine that works: they put files, settings and objects back as they were, and start
 * again at most what bears a start (haproxy, keepalived, containerd with its containers alive, the kubelet; control planes one
 * after another, each when the one before answers).
 */
const mendable: ReadonlySet<string> = new Set([
  machineConfigure.kind,
  containerdStart.kind,
  kubeletInstall.kind,
  kubeletServingApprove.kind,
  endpointConfigure.kind,
  pkiInstall.kind,
  authoritiesFollow.kind,
  apiServerConfigure.kind,
  etcdEndpointsPublish.kind,
  clusterAccessGrant.kind,
  nodeLabel.kind,
  addonInstall.kind,
]);

/** A machine that is gone or off is made, or switched on, by every plan. */
const planned: ReadonlySet<string> = new Set([machineCreate.kind, 'infrastructure.prepare']);

/** That all is well is health's business, and its proof starts pods. */
const isNoPart: ReadonlySet<string> = new Set([clusterVerify.kind]);

/** What a cluster should be like, step by step, and of whom that cannot be asked. */
export interface DriftPlan {
  /** Every step that has observable state, its input without references. */
  readonly steps: readonly PlannedStep[];
  /** Machines that nobody has met, or that are gone: beside that there is nothing to look at. */
  readonly unmet: readonly string[];
}

/**
 * Every step with observable state that leads from nothing to the present document: one look at each is the drift check
 * (DESIGN §1.3). An act is no part of it, nor is a check, nor what sends machines away. Pure.
 * @throws Blocked when too much was unseen
 */
export function planDrift(request: ClusterRequest): DriftPlan {
  const { desired: document, provider, observed, keys } = request;
  requireSight(observed, true);
  const bare = withoutMarks(observed);
  const { wanted } = machinesOnDuty(document, provider, observed);
  const difference = { ...differenceOf(wanted, [], observed), relabelled: [], cordoned: [], off: [] };
  const input = {
    document,
    provider,
    observed: bare,
    keys,
    bypass: [],
    wanted,
    difference: { ...difference, unfinished: wanted },
    isEstablished: difference.masters.length > 0,
    mayHaveJoined: true,
    halfJoined: [],
  };
  const context = planContext(input);
  const unmet = wanted.filter(
    ({ name, machine }) => machine === undefined || observed.references[name] === undefined,
  );
  const names = new Set(unmet.map(({ name }) => name));
  const steps = creationSteps(context)
    .filter(isPart)
    .filter(({ kind, subject }) => !names.has(subject) || kind === machineCreate.kind)
    .flatMap((step) => resolved(step, observed));
  return { steps, unmet: [...names] };
}

/** What apply does about a step that is not as it should be. */
export function remedyOf(
  { kind, subject }: Pick<PlannedStep, 'kind' | 'subject'>,
  cluster: string,
): DriftRemedy {
  if (mendable.has(kind)) return { by: 'apply', what: 'The next apply puts it back in place.' };
  if (planned.has(kind)) return { by: 'apply', what: 'The next apply makes it again.' };
  if (subject === 'cluster')
    return {
      by: 'person',
      what: 'Apply does not touch this on a cluster that runs; look at what is said there.',
    };
  return {
    by: 'replace',
    what: `It is not mended on a machine that runs: remuda machine replace ${cluster} ${subject}`,
  };
}

/**
 * Steps that put back what the last deep look found changed, where that is safe, beside the steps of the plan. Of a kind
 * one goes after another: no two masters start haproxy, or their kubelets, at the same moment. `leaving`: machines that
 * go anyway.
 */
export function mendingSteps(
  request: ClusterRequest,
  others: readonly PlannedStep[],
  leaving: readonly string[],
): readonly PlannedStep[] {
  const { drift, nodes } = request.observed;
  const isMended = ({ state, kind, subject, step }: DriftItem): boolean =>
    state === 'different' &&
    mendable.has(kind) &&
    !leaving.includes(subject) &&
    !others.some(({ id }) => id === step);
  const found = new Set(drift?.items.filter(isMended).map(({ step }) => step));
  if (found.size === 0 || nodes === undefined) return [];
  const last = new Map<string, string>();
  return planDrift(request)
    .steps.filter(({ id }) => found.has(id))
    .map((step) => {
      const before = last.get(step.kind);
      last.set(step.kind, step.id);
      // Whatever reads the authorities is started anew when they lie there as they should.
      const files = stepId(pkiInstall.kind, step.subject);
      const isReader = step.kind === authoritiesFollow.kind && found.has(files);
      return { ...step, after: [...(before === undefined ? [] : [before]), ...(isReader ? [files] : [])] };
    });
}

/** What is mended, in the user's terms. */
export const mendingChanges = (steps: readonly PlannedStep[], { drift }: Observed): PlanChange[] =>
  steps.map(({ id, subject }) => {
    const item = drift?.items.find(({ step }) => step === id);
    return { action: 'change', subject, detail: `put back: ${item?.differences.join('; ') ?? id}` };
  });

/** As if nothing were finished: every machine's whole road, and every add-on, are planned. */
const withoutMarks = (observed: Observed): Observed => ({ ...observed, marks: {} });

function isPart({ kind }: PlannedStep): boolean {
  const step = everyStep.find((one) => one.kind === kind);
  return step?.nature === 'ensure' && step.phase !== phases[0] && !isNoPart.has(kind);
}

/** A step without references: facts are what is known of the machines. Without them nobody can look. */
function resolved(step: PlannedStep, observed: Observed): PlannedStep[] {
  const facts = factsFrom(observed);
  try {
    return [{ ...step, input: resolveReferences(step.input, (id) => facts.get(id)) }];
  } catch {
    return [];
  }
}

/** What the steps that meet machines left as facts, from what is seen and remembered of them. */
function factsFrom({ references, machines = [] }: Observed): ReadonlyMap<string, Json> {
  const facts = new Map<string, Json>();
  for (const [name, reference] of Object.entries(references)) {
    const own = reference.hostKeys.at(-1) ?? '';
    const machine = machines.find((one) => one.name === name);
    const known = JSON.parse(JSON.stringify(reference)) as Json;
    facts.set(stepId(hostKeyReplace.kind, name), { reference: known });
    facts.set(stepId(hostKeyGenerate.kind, name), { publicKey: own, reference: known });
    facts.set(stepId(machineCreate.kind, name), {
      address: machine?.address ?? reference.address,
      provisionalHostKey: machine?.provisionalHostKey ?? own,
    });
  }
  return facts;
}
