import type { Instant } from './time.ts';

/** One static pod of a master: how its process is told from others, and what it depends on. */
export interface ControlPlaneComponent {
  /** Name of the program, and of kubeadm's manifest. */
  readonly name: 'etcd' | 'kube-apiserver' | 'kube-controller-manager' | 'kube-scheduler';
  /** An argument that its process has beside the name: a pod of somebody's that bears the name is not taken for it. */
  readonly argument: string;
  /** Files that it reads certificates from. */
  readonly files: readonly string[];
  /** Port on the loopback address where it serves TLS. */
  readonly port: number;
}

/** What a static pod's process is and shows, as seen just now. */
export interface ComponentState {
  readonly name: ControlPlaneComponent['name'];
  readonly running: boolean;
  /**
   * Which of the files were written after the process had started, so that it may still work with what they held
   * before. Empty when it does not run. A file from the future (the clock was set back) is not counted.
   */
  readonly outdated: readonly string[];
  /** The certificate it shows on its port; absent when it does not answer there. Nothing of it is believed. */
  readonly served?: { readonly fingerprint: string; readonly notAfter: Instant };
}
