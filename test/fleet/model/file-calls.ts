import { posix } from 'node:path';
import type { FileContent } from '../../../provisioners/contract/ports/file.ts';
import { changing, connect, connectToChange, reading, type OnMachine } from './call.ts';
import { blocksIn } from './trust.ts';
import { written, isUnder } from './machine.ts';

/** Folders that Kubernetes and Remuda own: nothing outside is ever removed. */
const ownedFolders = [
  '/etc/kubernetes',
  '/etc/cni',
  '/etc/remuda',
  '/etc/haproxy',
  '/etc/keepalived',
  '/etc/containerd',
  '/var/lib/etcd',
  '/var/lib/kubelet',
  '/var/lib/cni',
  '/var/log/kubernetes',
  '/var/lib/remuda',
  '/run/remuda',
  '/opt/cni',
  '/opt/remuda',
  '/etc/systemd/system',
];

/** FilePort's primitives. */
export const fileCalls = {
  'file.differ': reading(60, (fleet, given: OnMachine & { readonly files: readonly FileContent[] }) => {
    const machine = connect(fleet, given.machine);
    return given.files.flatMap(({ path, content, mode }) => {
      const found = machine.files.get(path);
      if (found === undefined) return [{ path, why: 'is not there' }];
      if (found.content !== content) return [{ path, why: 'has other content' }];
      return found.mode === mode ? [] : [{ path, why: `has mode ${found.mode.toString(8)}` }];
    });
  }),
  'file.write': changing(80, (fleet, given: OnMachine & { readonly files: readonly FileContent[] }, by) => {
    const machine = connectToChange(fleet, given.machine, by);
    fleet.needSpace(machine);
    for (const { path, content, mode } of given.files) {
      const from = machine.files.get(path)?.content ?? '';
      machine.files.set(path, written(machine.files.get(path), content, mode, fleet.now));
      if (path === '/etc/kubernetes/pki/ca.crt' && blocksIn(content).length > 1)
        fleet.clusterOf(machine).isRotating = true;
      // The kubelet starts a static pod anew whose manifest is another.
      const pod = /^\/etc\/kubernetes\/manifests\/(.+)\.yaml$/.exec(path)?.[1];
      if (pod !== undefined && content !== from) machine.restarted.set(pod, fleet.now);
      if (pod !== undefined) fleet.watchStart(machine);
    }
    fleet.changed('file.write', `${machine.name}:${given.files.map(({ path }) => path).join(',')}`, by);
    return null;
  }),
  'file.read': reading(40, (fleet, given: OnMachine & { readonly path: string }): string | null => {
    return connect(fleet, given.machine).files.get(given.path)?.content ?? null;
  }),
  'file.exist': reading(40, (fleet, given: OnMachine & { readonly paths: readonly string[] }): string[] => {
    const machine = connect(fleet, given.machine);
    const there = [...machine.files.keys()];
    return given.paths.filter((path) => there.some((file) => isUnder(file, path)));
  }),
  'file.remove': changing(60, (fleet, given: OnMachine & { readonly paths: readonly string[] }, by) => {
    const machine = connectToChange(fleet, given.machine, by);
    for (const path of given.paths) {
      if (posix.normalize(path) !== path || !ownedFolders.some((folder) => isUnder(path, folder)))
        throw new Error(`${path} is not Remuda's to remove; only what Kubernetes and Remuda own may be`);
      for (const file of machine.files.keys()) if (isUnder(file, path)) machine.files.delete(file);
    }
    fleet.changed('file.remove', `${machine.name}:${given.paths.join(',')}`, by);
    return null;
  }),
};
