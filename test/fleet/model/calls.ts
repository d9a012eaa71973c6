import { Transient } from '../../../provisioners/contract/problem.ts';
import { backupCalls } from './backup-calls.ts';
import { componentCalls } from './component-calls.ts';
import { etcdCalls } from './etcd-calls.ts';
import { fileCalls } from './file-calls.ts';
import { kubernetesCalls } from './kubernetes-calls.ts';
import { serviceCalls } from './service-calls.ts';
import { drainCalls } from './drain-calls.ts';
import { etcdDataCalls } from './etcd-data-calls.ts';
import type { Caller, Fleet } from './fleet.ts';
import { hookCalls } from './hook-calls.ts';
import { hostCalls } from './host-calls.ts';
import { kubeadmCalls, payloadCalls } from './machine-work-calls.ts';
import { providerCalls } from './provider-calls.ts';

/** Every primitive of the fleet by name: what the ports are made of, in one process or over a socket. */
export const calls = {
  ...hostCalls,
  ...componentCalls,
  ...fileCalls,
  ...serviceCalls,
  ...kubeadmCalls,
  ...payloadCalls,
  ...etcdCalls,
  ...etcdDataCalls,
  ...kubernetesCalls,
  ...drainCalls,
  ...providerCalls,
  ...backupCalls,
  ...hookCalls,
};

export type Calls = typeof calls;
export type CallName = keyof Calls;
export type ArgumentsOf<Name extends CallName> = Parameters<Calls[Name]['run']>[1];
export type ResultOf<Name extends CallName> = ReturnType<Calls[Name]['run']>;

/**
 * Makes one call at the model's present. What a fault costs happens here: an answer may be lost after the effect.
 * @throws Problem as the real adapters do.
 */
export function callFleet(fleet: Fleet, name: CallName, given: unknown, by: Caller): unknown {
  fleet.callCounts.set(name, (fleet.callCounts.get(name) ?? 0) + 1);
  // The registry is typed by name where ports are made (ports/door.ts); here names arrive as data, also from a socket.
  const call = calls[name] as { isEffect: boolean; run(fleet: Fleet, given: unknown, by: Caller): unknown };
  const isAway = fleet.faults
    .of('provider-away')
    .some(({ from, to }) => from <= fleet.elapsed && fleet.elapsed < to);
  if (isAway && name.startsWith('provider.')) throw new Transient('PROV-009', 'The provider does not answer');
  if (call.isEffect) fleet.mutatingCalls += 1;
  const result = call.run(fleet, given, by);
  if (fleet.faults.losesAnswer(name)) throw new Transient('LINE-001', `The answer to ${name} was lost`);
  return result;
}
