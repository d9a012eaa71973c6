import type { PlannedStep } from '../../provisioners/contract/plan.ts';
import { apiServerStop } from '../../provisioners/kubernetes/steps/api-server-stop.ts';
import { endpointWithdraw } from '../../provisioners/kubernetes/steps/endpoint-withdraw.ts';
import { etcdMemberRemove } from '../../provisioners/kubernetes/steps/etcd-member-remove.ts';
import { machineDestroy } from '../../provisioners/kubernetes/steps/machine-destroy.ts';
import { machineFence } from '../../provisioners/kubernetes/steps/machine-fence.ts';
import { machineStop } from '../../provisioners/kubernetes/steps/machine-stop.ts';
import { nodeCordon } from '../../provisioners/kubernetes/steps/node-cordon.ts';
import { nodeDrain } from '../../provisioners/kubernetes/steps/node-drain.ts';
import { nodeRemove } from '../../provisioners/kubernetes/steps/node-remove.ts';
import { isVirtualAddress } from '../../provisioners/kubernetes/endpoint-config.ts';
import type { PlanContext } from './cluster-plan.ts';
import { isSealedOff, type LeavingMachine } from './leaving-machine.ts';
import { drainPolicyOf, readyFloorOf } from './maintenance-rules.ts';
import { about, planStep } from './planned-step.ts';

/** Chains steps of one machine: each comes after the one before it. */
class Road {
  readonly steps: PlannedStep[] = [];
  readonly #start: readonly string[];

  constructor(start: readonly string[]) {
    this.#start = start;
  }

  /** What the next step comes after. */
  get end(): readonly string[] {
    const last = this.steps.at(-1);
    return last === undefined ? this.#start : [last.id];
  }

  add(step: PlannedStep): void {
    this.steps.push(step);
  }
}

/** What it takes to be rid of the machine itself, where there is one: destroyed, or sealed off and kept, on or off. */
export function fenceSteps(leaving: LeavingMachine, after: readonly string[]): PlannedStep[] {
  const { name, machine, reference, mode, isFenced } = leaving;
  if (machine === undefined) return [];
  if (!isSealedOff(leaving) || reference === undefined)
    return [planStep(machineDestroy, about(name), { name }, after, 'removal')];
  const fence = isFenced ? [] : [planStep(machineFence, about(name), { machine: reference }, after)];
  if (mode === 'keep') return fence;
  return [
    ...fence,
    planStep(machineStop, about(name), { name }, fence.length > 0 ? [fence[0]?.id ?? ''] : after),
  ];
}

/**
 * The road of one machine out of the cluster. Nothing is asked of a machine that does not answer. The address and etcd
 * are left while the machine is well, its pods are moved before it is fenced, and its Node goes last, when nothing of it
 * can run any more.
 */
function roadOut(context: PlanContext, leaving: LeavingMachine, after: readonly string[]): PlannedStep[] {
  const { settings, document } = context;
  const { name, node, member, machine, reference, isAnswering, isDead } = leaving;
  // Who is dead leaves before anybody comes.
  const isMaster = leaving.role === 'control-plane';
  const living = isMaster ? context.accessWithout(name) : context.accessAfter;
  const access = isDead ? context.access : living;
  const road = new Road(after);
  // One that does not answer serves nobody: it need not wait for the others.
  const floor = leaving.role === 'worker' && isAnswering ? readyFloorOf(document, name) : undefined;
  const cordon = { node: name, access, ...(floor === undefined ? {} : { floor }) };
  if (node !== undefined) road.add(planStep(nodeCordon, about(name), cordon, road.end));
  if (reference !== undefined && isAnswering && isMaster)
    if (isVirtualAddress(settings.endpoint.host))
      road.add(planStep(endpointWithdraw, about(name), { machine: reference }, road.end));
  if (node !== undefined && isAnswering)
    road.add(
      planStep(nodeDrain, about(name), { node: name, access, policy: drainPolicyOf(document) }, road.end),
    );
  if (reference !== undefined && isAnswering && isMaster) {
    const input = { machine: reference, apiPort: settings.apiPort };
    road.add(planStep(apiServerStop, about(name), input, road.end));
  }
  if (member !== undefined) {
    const address = machine?.address ?? reference?.address;
    const input = { name, access, ...(address === undefined ? {} : { address }) };
    road.add(planStep(etcdMemberRemove, about(name), input, road.end));
  }
  for (const step of fenceSteps(leaving, road.end)) road.add(step);
  if (node !== undefined) road.add(planStep(nodeRemove, about(name), { name, access }, road.end));
  return road.steps;
}

/** Every machine of the cluster that leaves, each when its turn has come; those of etcd alone have a road of their own. */
export const leavingSteps = (context: PlanContext): PlannedStep[] =>
  context.difference.leaving
    .filter(({ role }) => role !== 'etcd')
    .flatMap((machine) => roadOut(context, machine, context.succession.exits.get(machine.name) ?? []));
