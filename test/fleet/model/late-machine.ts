import type { ModelCluster } from './cluster.ts';
import type { Fleet } from './fleet.ts';
import { newMachine } from './machine.ts';

/** A machine that comes into being when its cluster is gone: its making was under way somewhere. */
export function addLate(fleet: Fleet, cluster: ModelCluster, name: string): void {
  const request = {
    cluster: cluster.identity,
    name,
    role: 'worker' as const,
    incarnation: 9,
    token: 'of a machine that came late',
    shape: { cpus: 2, memory: 4096, disk: 20_000 },
    authorizedKey: 'somebody',
    labels: {},
  };
  const machine = newMachine(request as never, 'i-late', '10.80.9.99', fleet.now, 0);
  cluster.machines.set(name, machine);
  fleet.byAddress.set(machine.address, machine);
}
