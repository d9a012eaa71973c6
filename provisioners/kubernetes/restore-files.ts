import { componentsOf } from './kubeadm-certificates.ts';
import { manifestOf } from './paths.ts';

/**
 * Where stopped manifests are kept on a master: one folder for all restores, so that one that takes the place of
 * another, which stopped half-way, starts again what that had stopped.
 */
const keptFolder = '/var/lib/remuda/restore/manifests';

/** A static pod's manifest where kubeadm puts it, and where a restore keeps it while its process must not run. */
export interface KeptManifest {
  readonly component: string;
  readonly path: string;
  readonly kept: string;
}

/** The manifests of a control plane, whoever asks before whoever is asked: so they are taken away. */
export const manifestsOf = (): readonly KeptManifest[] =>
  componentsOf(0)
    .map(({ name }) => ({
      component: name,
      path: manifestOf(name),
      kept: `${keptFolder}/${name}.yaml`,
    }))
    .toReversed();
