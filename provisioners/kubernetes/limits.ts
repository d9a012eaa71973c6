import type { StepLimits } from '../contract/step.ts';
import { type Duration, minutes, seconds } from '../contract/time.ts';

/** A look or a few files over a line that may be down for a moment. */
export const quick: StepLimits = { soft: seconds(30), hard: minutes(15), attempts: 5 };

/** A machine that boots, images that are unpacked. Lab: seconds; a cloud or a slow disk: minutes. */
export const lengthy: StepLimits = { soft: minutes(3), hard: minutes(30), attempts: 3 };

/** kubeadm: usually half a minute to a minute; its own waits give up after four minutes, then it is tried again. */
export const kubeadmRun: StepLimits = { soft: minutes(3), hard: minutes(30), attempts: 3 };

/** Things a person may have to mend first (capacity, a wrong clock): looked at again until then. */
export const untilMended: StepLimits = { soft: seconds(20), hard: minutes(10), attempts: 1 };

/** A change of etcd's members: milliseconds, but for the others that have to be well first. */
export const memberChange: StepLimits = { soft: seconds(20), hard: minutes(30), attempts: 5 };

/**
 * The final proof. A controller-manager whose watch was cut while etcd changed its members looks again only after five
 * to ten minutes (client-go's reflector), and until then makes no endpoints: seen once on a busy lab with 1.20.
 */
export const proof: StepLimits = { soft: minutes(3), hard: minutes(30), attempts: 10 };

/**
 * Pods that move: each may take its grace period (30 s usually, an hour for some databases), and a budget lets one go
 * only when the replacement of the last is ready. A round counts as a try only when all of it went.
 */
export const drainRun: StepLimits = { soft: minutes(2), hard: minutes(120), attempts: 20 };

/** Users' hooks: each has a timeout of its own, of two hours at most; the rest is for a machine that does not answer. */
export const hookRun: StepLimits = { soft: minutes(2), hard: minutes(150), attempts: 5 };

/** A webhook: eight calls over some two minutes, and what a receiver takes to answer. */
export const hookCall: StepLimits = { soft: minutes(1), hard: minutes(30), attempts: 8 };

/**
 * What a cluster holds outside of its machines goes: a cloud's balancer takes a minute or two, a volume waits for pods
 * that may take their grace period. Their controllers may need a person.
 */
export const releaseRun: StepLimits = { soft: minutes(3), hard: minutes(60), attempts: 20 };

/**
 * How long a place for backups may be away before what waits for it stops: a file server that is started again is back
 * by then, and nobody's work waits for one that is not.
 */
export const placeAway: Duration = minutes(15);
