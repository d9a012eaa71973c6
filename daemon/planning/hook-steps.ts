import type { HookPoint } from '../../provisioners/contract/hooks.ts';
import type { MachineRef } from '../../provisioners/contract/machine.ts';
import type { PlannedStep, Referable } from '../../provisioners/contract/plan.ts';
import type { ControlPlaneAccess } from '../../provisioners/contract/ports/etcd.ts';
import type { Phase } from '../../provisioners/contract/step.ts';
import { groupOf } from '../../provisioners/kubernetes/ready-floor.ts';
import { hookCallWebhook } from '../../provisioners/kubernetes/steps/hook-call-webhook.ts';
import { hookRunAsJob } from '../../provisioners/kubernetes/steps/hook-run-as-job.ts';
import { hookRunOnMachine } from '../../provisioners/kubernetes/steps/hook-run-on-machine.ts';
import type { ClusterDocument } from '../spec/documents.ts';
import { type HookDocument, hookTimeout } from '../spec/hooks.ts';
import { planStep } from './planned-step.ts';

/** Kinds of the steps that hooks are. */
export const hookKinds: ReadonlySet<string> = new Set([
  hookRunOnMachine.kind,
  hookRunAsJob.kind,
  hookCallWebhook.kind,
]);

/** Where and what for a hook runs. */
export interface Occurrence {
  readonly at: HookPoint;
  /** Kind of the operation, as hooks are told. */
  readonly reason: string;
  /** Machine that it is about; absent where it is about the whole. */
  readonly machine?: string;
  /** Machine that a script runs on, and how it is reached; absent where there is none to run on. */
  readonly on?: { readonly name: string; readonly reference: Referable<MachineRef> };
  /** How the API is asked; absent where there is none. */
  readonly access?: Referable<ControlPlaneAccess>;
  readonly phase: Phase;
  readonly isDisturbing: boolean;
}

/** The step of one hook; none where it cannot run: no machine to run on, no API to ask. */
export function hookStep(
  hook: HookDocument,
  { at, reason, machine, on, access, phase, isDisturbing }: Occurrence,
  after: readonly string[],
): PlannedStep[] {
  const { name, onFailure, run } = hook;
  const about = machine === undefined ? {} : { machine };
  const occasion = { hook: name, at, reason, ...about };
  const common = { occasion, timeout: hookTimeout(hook), onFailure, isDisturbing };
  const whom = machine ?? (run.machine === undefined ? undefined : on?.name);
  const subject = { id: whom === undefined ? name : `${name}.${whom}`, subject: whom ?? 'cluster' };
  if (run.machine !== undefined) {
    if (on === undefined) return [];
    const input = { ...common, machine: on.reference, script: run.machine.script };
    return [planStep(hookRunOnMachine, subject, input, after, phase)];
  }
  if (run.webhook?.credentials.secretRef !== undefined) {
    const { url, authority, credentials } = run.webhook;
    const pem = authority === undefined ? {} : { authority };
    const input = { ...common, url, ...pem, credentials: { secretRef: credentials.secretRef ?? '' } };
    return [planStep(hookCallWebhook, subject, input, after, phase)];
  }
  if (run.job === undefined || access === undefined) return [];
  const { image, command, namespace, serviceAccount } = run.job;
  const account = serviceAccount === undefined ? {} : { serviceAccount };
  const input = { ...common, access, image, command, namespace, ...account };
  return [planStep(hookRunAsJob, subject, input, after, phase)];
}

/** Whether a machine is a master, by its name: masters are `<cluster>-cp-<number>`. */
export const isMasterName = ({ metadata }: ClusterDocument, name: string): boolean =>
  groupOf(name) === `${metadata.name}-cp`;

/** Whether a hook is for a machine: by its role, and by its group. */
export function isFor(document: ClusterDocument, { for: only }: HookDocument, name: string): boolean {
  const role = isMasterName(document, name) ? 'control-plane' : 'worker';
  if (only.roles !== undefined && !only.roles.includes(role)) return false;
  const { name: cluster } = document.metadata;
  return only.groups === undefined || only.groups.some((group) => groupOf(name) === `${cluster}-${group}`);
}
