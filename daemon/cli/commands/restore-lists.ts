import { z } from 'zod';
import type { OperationDetail } from '../../api/types.ts';
import { cleanLine } from '../clean-text.ts';
import type { Printer } from '../terminal.ts';

const names = z.array(z.string());

/** Facts of the step that compares restored data with the world (provisioners/kubernetes/steps/cluster-reconcile.ts). */
const reconciliationSchema = z.object({
  nodesWithoutMachine: names,
  machinesWithoutNode: names,
  unknownVolumes: names,
  unknownLoadBalancers: names,
});

/** Facts of the step that starts anew what watches the API (watches-renew.ts). */
const renewalSchema = z.object({ unreached: names });

/** Facts of a step that ended well in whatever plan of an operation. */
const factsOf = (operation: OperationDetail, kind: string): unknown =>
  operation.stepList.find(
    (step) => step.kind === kind && (step.state === 'succeeded' || step.state === 'kept'),
  )?.facts;

/** Prints what a restored cluster and the world around it do not agree on; nothing for any other operation. */
export function printRestoreLists(printer: Printer, operation: OperationDetail): void {
  const reconciliation = reconciliationSchema.safeParse(factsOf(operation, 'cluster.reconcile'));
  if (!reconciliation.success) return;
  const { nodesWithoutMachine, machinesWithoutNode, unknownVolumes, unknownLoadBalancers } =
    reconciliation.data;
  const renewal = renewalSchema.safeParse(factsOf(operation, 'watches.renew'));
  const lists: readonly [string, readonly string[]][] = [
    ['Nodes without a machine', nodesWithoutMachine],
    ['machines without a Node', machinesWithoutNode],
    ['volumes that nothing names', unknownVolumes],
    ['load balancers that nothing names', unknownLoadBalancers],
    ['kubelets to be restarted when their machines are back', renewal.data?.unreached ?? []],
  ];
  for (const [title, found] of lists)
    if (found.length > 0) printer.answer(cleanLine(`${title}: ${found.join(', ')}`));
  printer.answer('Restart operators and controllers of your own: what they watch has gone back.');
}
