import type { ServiceState } from '../../../provisioners/contract/ports/service.ts';
import { changing, connect, connectToChange, reading, type OnMachine } from './call.ts';
import { startKubelet } from './certificates.ts';
import { leader } from './distrust.ts';
import { clusterSigner } from './trust.ts';
import { paths } from './cluster.ts';
import type { Fleet } from './fleet.ts';
import { kubeletStarted, outlivesRestart } from './in-place.ts';
import { registerAgain } from './registration.ts';
import type { ModelMachine } from './machine.ts';

/** Units that an image brings; others come with a unit file. */
const unitsOfImage = new Set(['haproxy', 'keepalived', 'ssh', 'sshd', 'chrony']);

const isKnownUnit = (machine: ModelMachine, unit: string): boolean =>
  machine.services.has(shortName(unit)) ||
  unitsOfImage.has(shortName(unit)) ||
  machine.files.has(`/etc/systemd/system/${shortName(unit)}.service`);

function stateOf(machine: ModelMachine, unit: string): ServiceState {
  const service = machine.services.get(shortName(unit));
  if (!isKnownUnit(machine, unit)) return { unit, active: false, enabled: false, detail: 'not-found' };
  const isLooping =
    shortName(unit) === 'kubelet' && service?.active === true && !machine.files.has(paths.kubeletConfig);
  const isActive = service?.active === true && !isLooping;
  return {
    unit,
    active: isActive,
    enabled: service?.enabled ?? false,
    detail: detailOf(isActive, isLooping),
    ...(service?.active === true ? { since: new Date(service.since).toISOString() } : {}),
  };
}

function detailOf(isActive: boolean, isLooping: boolean): string {
  if (isLooping) return 'activating (auto-restart)';
  return isActive ? 'active (running)' : 'inactive (dead)';
}

const shortName = (unit: string): string => unit.replace(/\.service$/, '');

function startService(fleet: Fleet, machine: ModelMachine, unit: string): void {
  const name = shortName(unit);
  const cluster = fleet.clusterOf(machine);
  const isRestart = machine.services.get(name)?.active === true;
  const goesOn = isRestart && outlivesRestart(cluster, machine, fleet.now);
  const isApiReady = [...cluster.machines.values()].some((one) => cluster.isApiReady(one, fleet.now));
  const master = leader(cluster, fleet.now);
  const signer = master === undefined ? undefined : clusterSigner(master);
  const isActive = name !== 'kubelet' || startKubelet(machine, isApiReady, fleet.now, signer) === 'runs';
  machine.services.set(name, { active: isActive, enabled: true, since: fleet.now });
  if (!isActive) return;
  if (name !== 'kubelet' && name !== 'containerd') return;
  if (name === 'kubelet') machine.isPodRejected = false;
  machine.downSince = undefined;
  if (name === 'kubelet') {
    machine.isRegistering = true;
    registerAgain(cluster, machine, fleet.now);
  }
  if (name === 'kubelet') kubeletStarted(fleet, machine);
  if (goesOn) return;
  machine.staticPodsSince = name === 'kubelet' ? fleet.now : Math.max(machine.staticPodsSince, fleet.now);
  fleet.watchStart(machine);
}

/** ServicePort's primitives. */
export const serviceCalls = {
  'service.state': reading(40, (fleet, given: OnMachine & { readonly units: readonly string[] }) => {
    const machine = connect(fleet, given.machine);
    return given.units.map((unit) => stateOf(machine, unit));
  }),
  'service.start': changing(150, (fleet, given: OnMachine & { readonly unit: string }, by) => {
    const machine = connectToChange(fleet, given.machine, by);
    const service = machine.services.get(shortName(given.unit));
    if (service?.active === true) service.enabled = true;
    else startService(fleet, machine, given.unit);
    fleet.changed('service.start', `${machine.name}:${given.unit}`, by);
    return null;
  }),
  'service.restart': changing(250, (fleet, given: OnMachine & { readonly unit: string }, by) => {
    const machine = connectToChange(fleet, given.machine, by);
    startService(fleet, machine, given.unit);
    fleet.changed('service.restart', `${machine.name}:${given.unit}`, by);
    return null;
  }),
  'service.reload': changing(120, (fleet, given: OnMachine & { readonly unit: string }, by) => {
    const machine = connectToChange(fleet, given.machine, by);
    if (machine.services.get(shortName(given.unit))?.active !== true)
      startService(fleet, machine, given.unit);
    fleet.changed('service.reload', `${machine.name}:${given.unit}`, by);
    return null;
  }),
  'service.stop': changing(150, (fleet, given: OnMachine & { readonly unit: string }, by) => {
    const machine = connectToChange(fleet, given.machine, by);
    if (!isKnownUnit(machine, given.unit)) return null;
    machine.services.set(shortName(given.unit), { active: false, enabled: false, since: fleet.now });
    if (shortName(given.unit) === 'kubelet') machine.downSince = fleet.now;
    fleet.changed('service.stop', `${machine.name}:${given.unit}`, by);
    return null;
  }),
  'service.journal': reading(
    60,
    (fleet, given: OnMachine & { readonly unit: string; readonly lines: number }): string[] => {
      const machine = connect(fleet, given.machine);
      if (shortName(given.unit) === 'kubelet' && machine.isPodRejected)
        return [
          `kubelet: "Failed to admit pod etcd-${machine.name}_kube-system: no set of running pods found to reclaim resources: ephemeral-storage"`,
        ].slice(-given.lines);
      return [`${given.unit}: nothing of note`].slice(-given.lines);
    },
  ),
};
