import { componentsOf } from './kubeadm-certificates.ts';
import { manifestOf } from './paths.ts';

/** Folder of one restore on a master ({@link import('../contract/etcd-data.ts').EtcdDataPort}). */
const folderOf = (restore: string): string => `/var/lib/remuda/restore/${restore}`;

/** A static pod's manifest where kubeadm puts it, and where a restore keeps it while its process must not run. */
export interface KeptManifest {
  readonly component: string;
  readonly path: string;
  readonly kept: string;
}

/** The manifests of a control plane, whoever asks before whoever is asked: so they are taken away. */
export const manifestsOf = (restore: string): readonly KeptManifest[] =>
  componentsOf(0)
    .map(({ name }) => ({
      component: name,
      path: manifestOf(name),
      kept: `${folderOf(restore)}/manifests/${name}.yaml`,
    }))
    .toReversed();
