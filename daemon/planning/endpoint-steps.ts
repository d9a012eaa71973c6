import { factOf, type PlannedStep, stepId } from '../../provisioners/contract/plan.ts';
import { isVirtualAddress } from '../../provisioners/kubernetes/endpoint-config.ts';
import { endpointMark } from '../../provisioners/kubernetes/marks.ts';
import { machinesPreflight } from '../../provisioners/kubernetes/preflight/machines-preflight.ts';
import { endpointConfigure } from '../../provisioners/kubernetes/steps/endpoint-configure.ts';
import { endpointDigest, endpointSettle } from '../../provisioners/kubernetes/steps/endpoint-settle.ts';
import { machineCreate } from '../../provisioners/kubernetes/steps/machine-create.ts';
import { type MachineReference, type PlanContext, referenceTo } from './cluster-plan.ts';
import { beforeEquipment } from './machine-steps.ts';
import { about, aboutCluster, planStep } from './planned-step.ts';
import type { WantedMachine } from './wanted-machine.ts';

/** The masters that the document wants. */
export const mastersOf = ({ wanted }: Pick<PlanContext, 'wanted'>): readonly WantedMachine[] =>
  wanted.filter(({ role }) => role === 'control-plane');

/** The check of a machine against the others: what it has to pass before it becomes part of a cluster. */
export const compared = (name: string): string => stepId(machinesPreflight.kind, name);

const serverOf = ({ name, address }: WantedMachine) => ({
  name,
  address: address ?? factOf(machineCreate, name, 'address'),
});

/** Masters that leave and have not begun to: they serve, and may hold the address. */
const servingStill = ({ difference }: PlanContext) =>
  difference.leaving.flatMap(({ name, role, reference, isDead, isFenced, node }) => {
    const hasBegun = isFenced || (node?.unschedulable === true && node.cordonedBy !== undefined);
    return role === 'control-plane' && !isDead && !hasBegun && node !== undefined && reference !== undefined
      ? [{ name, reference }]
      : [];
  });

/** haproxy and keepalived of one master, where the endpoint is an address of ours. */
function endpointStep(
  context: PlanContext,
  machine: { readonly name: string; readonly reference: MachineReference },
  after: readonly string[],
): PlannedStep {
  const { endpoint, apiPort } = context.settings;
  const leaving = servingStill(context).map(({ name, reference }) => ({ name, address: reference.address }));
  // Who comes later is named where its address is known by now; else when all have come.
  const named = mastersOf(context).filter((one) => one.address !== undefined || comesFirst(context, one));
  const masters = [...named.map(serverOf), ...leaving];
  const input = { machine: machine.reference, masters, endpoint, apiPort };
  return planStep(endpointConfigure, about(machine.name), input, after);
}

/** Whether a new master waits for nobody to leave. */
const comesFirst = ({ succession }: PlanContext, { name }: { readonly name: string }): boolean =>
  (succession.entries.get(name) ?? []).length === 0;

const isServing = (context: PlanContext, { name }: { readonly name: string }): boolean =>
  !context.unfinished.has(name);

/**
 * The endpoint's steps: new masters at once, side by side; masters that serve already one after another, those that
 * leave among them: who holds the address must send its adverts to the new ones before these could hold it, or two
 * would.
 */
export function endpointSteps(context: PlanContext): PlannedStep[] {
  if (!isVirtualAddress(context.settings.endpoint.host)) return [];
  const masters = mastersOf(context).map((machine) => ({
    name: machine.name,
    reference: referenceTo(machine, context),
  }));
  const joining = masters.filter((machine) => !isServing(context, machine));
  const isShrinking = context.difference.leaving.some(({ role }) => role === 'control-plane');
  if (joining.length === 0 && !isShrinking) return [];
  const steps = joining.map((machine) =>
    endpointStep(context, machine, beforeEquipment(context, machine.name)),
  );
  const leaving = joining.length === 0 ? [] : servingStill(context);
  let last = joining.filter((one) => comesFirst(context, one)).map(({ name }) => compared(name));
  for (const machine of [...masters.filter((one) => isServing(context, one)), ...leaving]) {
    const step = endpointStep(context, machine, last);
    steps.push(step);
    last = [step.id];
  }
  return steps;
}

/** What a master's endpoint must be ready for before its API server may be: its own, and those that answer and serve. */
export function endpointReady(context: PlanContext, name: string): string[] {
  if (!isVirtualAddress(context.settings.endpoint.host)) return [];
  const answering = mastersOf(context).filter(
    (machine) => isServing(context, machine) && machine.node?.ready === true,
  );
  const told = [...answering, ...servingStill(context)].map((machine) => machine.name);
  return [name, ...told].map((each) => stepId(endpointConfigure.kind, each));
}

/** When all have come and gone: nobody is served any more who is no master of this cluster. */
export function settleSteps(context: PlanContext, before: readonly string[]): PlannedStep[] {
  const { settings, observed, accessAfter } = context;
  const { endpoint, apiPort } = settings;
  if (!isVirtualAddress(endpoint.host)) return [];
  const masters = mastersOf(context);
  const machines = masters.map((machine) => referenceTo(machine, context));
  const known = masters.flatMap(({ name, address }) => (address === undefined ? [] : [{ name, address }]));
  const isSettled =
    known.length === masters.length &&
    observed.marks?.[endpointMark] === endpointDigest({ masters: known, endpoint, apiPort });
  if (isSettled) return [];
  const servers = { masters: masters.map(serverOf), endpoint, apiPort };
  return [planStep(endpointSettle, aboutCluster, { access: accessAfter, machines, servers }, before)];
}
