import { authoritiesFollow } from '../../provisioners/kubernetes/steps/authorities-follow.ts';
import { controlPlaneJoin } from '../../provisioners/kubernetes/steps/control-plane-join.ts';
import { machineDestroy } from '../../provisioners/kubernetes/steps/machine-destroy.ts';
import { nodeRemove } from '../../provisioners/kubernetes/steps/node-remove.ts';
import { workerJoin } from '../../provisioners/kubernetes/steps/worker-join.ts';

/** Kinds of the steps with which machines come to a cluster, and with which they leave it; each is about one machine. */
export const machineMoves = {
  come: [controlPlaneJoin.kind, workerJoin.kind],
  leave: [machineDestroy.kind, nodeRemove.kind],
} as const;

/** Kind of the step with which masters follow a rotation of the authorities; each is about one master. */
export const rotationMove = authoritiesFollow.kind;
