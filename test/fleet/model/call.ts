import type { MachineRef } from '../../../provisioners/contract/machine.ts';
import type { ControlPlaneAccess } from '../../../provisioners/contract/ports/etcd.ts';
import { Blocked } from '../../../provisioners/contract/problem.ts';
import type { Caller, Fleet } from './fleet.ts';
import { isUp, type ModelMachine } from './machine.ts';

/** One primitive call on the model: JSON in, JSON out, at one instant. Ports are made of these. */
export interface FleetCall<Arguments, Result> {
  /** Whether it may change something. */
  readonly isEffect: boolean;
  /** How long it usually takes, ms of model time: half before the effect, half before the answer. */
  readonly takes: number;
  run(fleet: Fleet, given: Arguments, by: Caller): Result;
}

/** A call about one machine. */
export interface OnMachine {
  readonly machine: MachineRef;
}

/** A call through the masters of a cluster. */
export interface Through {
  readonly access: ControlPlaneAccess;
}

/** A call that only reads. */
export const reading = <A, R>(takes: number, run: FleetCall<A, R>['run']): FleetCall<A, R> => ({
  isEffect: false,
  takes,
  run,
});

/** A call that changes something. */
export const changing = <A, R>(takes: number, run: FleetCall<A, R>['run']): FleetCall<A, R> => ({
  isEffect: true,
  takes,
  run,
});

/** The machine behind a reference, over a line whose host key is checked as ssh does. */
export function connect(fleet: Fleet, reference: MachineRef): ModelMachine {
  const machine = fleet.reach(reference);
  if (!reference.hostKeys.includes(machine.shownHostKey))
    throw new Blocked('HOST-002', `${reference.name} shows another host key than the one on record`, {
      machine: reference.name,
      remedy: `Find out why the host key of ${reference.name} changed before you trust it.`,
    });
  return machine;
}

/**
 * The machine, for somebody who will change it.
 * @throws Blocked when an agent of a newer epoch has worked there: the caller was replaced (DESIGN §5).
 */
export function connectToChange(fleet: Fleet, reference: MachineRef, by: Caller): ModelMachine {
  const machine = connect(fleet, reference);
  if (by.epoch < machine.epoch)
    throw new Blocked(
      'HOST-005',
      `${machine.name} has seen an agent of epoch ${machine.epoch}, ours is ${by.epoch}`,
      {
        machine: machine.name,
        remedy: 'This agent was replaced; stop it.',
      },
    );
  machine.epoch = by.epoch;
  return machine;
}

/** A machine that is up and whose line is not cut. */
export function reachable(fleet: Fleet, reference: MachineRef): ModelMachine | undefined {
  const machine = fleet.byAddress.get(reference.address);
  const isThere =
    machine !== undefined && isUp(machine, fleet.now) && !fleet.faults.isLineCut(machine.name, fleet.elapsed);
  return isThere ? machine : undefined;
}
