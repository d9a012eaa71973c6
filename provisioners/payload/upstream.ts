import type { UpstreamRelease } from './digests.ts';
import type { FileRole } from './manifest.ts';

/** One place that parts come from. */
export interface UpstreamBase {
  /** `https://HOST[/prefix]`, without a slash at the end; a mirror keeps the paths below. */
  readonly url: string;
  /** Other hosts this one may redirect to, or name as its token server. Everything else is refused. */
  readonly alsoHosts: readonly string[];
}

/** Where a release comes from: upstream's own places, or mirrors with the same layout. */
export interface UpstreamSources {
  /** Serves `/release/VERSION/bin/linux/ARCH/NAME`. */
  readonly kubernetes: UpstreamBase;
  /** Serves `/OWNER/REPOSITORY/releases/download/TAG/FILE`. */
  readonly github: UpstreamBase;
  /** Speaks the registry API, version 2 (OCI distribution-spec). */
  readonly registry: UpstreamBase;
  /** Trusted besides the public ones, PEM: the site's own CA for its mirrors. */
  readonly certificateAuthorities?: readonly string[];
}

/** Upstream's public places, with the hosts they are documented to hand downloads over to. */
export const PUBLIC_UPSTREAM: UpstreamSources = {
  kubernetes: { url: 'https://dl.k8s.io', alsoHosts: ['cdn.dl.k8s.io'] },
  github: {
    url: 'https://github.com',
    alsoHosts: ['objects.githubusercontent.com', 'release-assets.githubusercontent.com'],
  },
  // The public registry answers for blobs with regional stores that change; a site names the ones it allows.
  registry: { url: 'https://registry.k8s.io', alsoHosts: [] },
};

/** A file of a release: where it lies below which base, and what it becomes. */
export interface UpstreamFile {
  readonly base: 'kubernetes' | 'github';
  readonly path: string;
  readonly sha256: string;
  readonly role: FileRole;
  readonly kind: 'file' | 'tar';
  readonly install: string;
  readonly for: 'all' | 'control-plane';
  readonly origin: string;
}

/** Every file of a release, by the layout that upstream's download pages document. */
export function upstreamFiles(release: UpstreamRelease): readonly UpstreamFile[] {
  const { arch, kubernetes, containerd, runc, cniPlugins, crictl } = release;
  const plain = (text: string): string => text.slice(1);
  const binary = (role: 'kubeadm' | 'kubelet' | 'kubectl'): UpstreamFile => ({
    base: 'kubernetes',
    path: `/release/${kubernetes}/bin/linux/${arch}/${role}`,
    sha256: release[role],
    role,
    kind: 'file',
    install: `/usr/local/bin/${role}`,
    for: role === 'kubectl' ? 'control-plane' : 'all',
    origin: `Kubernetes ${kubernetes} as released`,
  });
  const asset = (
    role: FileRole,
    repository: string,
    part: { readonly version: string; readonly sha256: string },
    file: string,
    placed: Pick<UpstreamFile, 'kind' | 'install'>,
  ): UpstreamFile => ({
    base: 'github',
    path: `/${repository}/releases/download/${part.version}/${file}`,
    sha256: part.sha256,
    role,
    ...placed,
    for: 'all',
    origin: `${repository} ${part.version} as released`,
  });
  const tar = (install: string): Pick<UpstreamFile, 'kind' | 'install'> => ({ kind: 'tar', install });
  return [
    binary('kubeadm'),
    binary('kubelet'),
    binary('kubectl'),
    // Holds bin/containerd, bin/containerd-shim-runc-v2 and bin/ctr.
    asset(
      'containerd',
      'containerd/containerd',
      containerd,
      `containerd-${plain(containerd.version)}-linux-${arch}.tar.gz`,
      tar('/usr/local'),
    ),
    asset('runc', 'opencontainers/runc', runc, `runc.${arch}`, {
      kind: 'file',
      install: '/usr/local/sbin/runc',
    }),
    asset(
      'cni-plugins',
      'containernetworking/plugins',
      cniPlugins,
      `cni-plugins-linux-${arch}-${cniPlugins.version}.tgz`,
      tar('/opt/cni/bin'),
    ),
    asset(
      'crictl',
      'kubernetes-sigs/cri-tools',
      crictl,
      `crictl-${crictl.version}-linux-${arch}.tar.gz`,
      tar('/usr/local/bin'),
    ),
  ];
}
