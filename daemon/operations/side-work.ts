import { type OperationKind, operationKinds } from '../../provisioners/contract/plan.ts';

/**
 * Kinds that change nothing of what other operations work towards: after one of them an operation that had stopped is
 * taken up again as if nothing had been between, it stands for the cluster's condition as before, and none of them ends
 * what waits or has stopped.
 */
const sideWork: ReadonlySet<OperationKind> = new Set(['backup', 'renew']);

/** Whether an operation of a kind leaves alone what others work towards. */
export const isSideWork = (kind: OperationKind): boolean => sideWork.has(kind);

/** Kinds whose newest operation stands for what has become of a cluster. */
export const mainWork: readonly OperationKind[] = operationKinds.filter((kind) => !isSideWork(kind));

/** Whether an operation that had stopped can be taken up again although one of another kind was begun after it. */
export const leavesAlone = (later: OperationKind, earlier: OperationKind): boolean =>
  isSideWork(later) && later !== earlier;
