import type { MachineDeclaration } from '../contract/preflight.ts';
import type { FileContent } from '../contract/ports/file.ts';
import { paths } from './paths.ts';
import { type KubernetesMinor, pauseImage } from './versions.ts';

/** Where the payload puts the CNI plugins, and where network add-ons put their configuration: containerd's defaults. */
const cni = { binaries: '/opt/cni/bin', configuration: '/etc/cni/net.d' };

const lines = (...text: readonly string[]): string => `${text.join('\n')}\n`;

/** https://github.com/containerd/containerd/blob/release/1.6/docs/cri/config.md */
function version2(minor: KubernetesMinor, isSystemdDriver: boolean, isRestricted: boolean): string {
  const cri = 'plugins."io.containerd.grpc.v1.cri"';
  return lines(
    'version = 2',
    `[${cri}]`,
    `  sandbox_image = "${pauseImage(minor)}"`,
    `  restrict_oom_score_adj = ${isRestricted}`,
    `[${cri}.cni]`,
    `  bin_dir = "${cni.binaries}"`,
    `  conf_dir = "${cni.configuration}"`,
    `[${cri}.containerd]`,
    '  snapshotter = "overlayfs"',
    `[${cri}.containerd.runtimes.runc]`,
    '  runtime_type = "io.containerd.runc.v2"',
    `[${cri}.containerd.runtimes.runc.options]`,
    `  SystemdCgroup = ${isSystemdDriver}`,
  );
}

/** https://github.com/containerd/containerd/blob/release/2.1/docs/cri/config.md */
function version3(minor: KubernetesMinor, isSystemdDriver: boolean, isRestricted: boolean): string {
  const images = "plugins.'io.containerd.cri.v1.images'";
  const runtime = "plugins.'io.containerd.cri.v1.runtime'";
  return lines(
    'version = 3',
    `[${images}.pinned_images]`,
    `  sandbox = '${pauseImage(minor)}'`,
    `[${images}]`,
    "  snapshotter = 'overlayfs'",
    `[${runtime}]`,
    `  restrict_oom_score_adj = ${isRestricted}`,
    `[${runtime}.cni]`,
    `  bin_dir = '${cni.binaries}'`,
    `  conf_dir = '${cni.configuration}'`,
    `[${runtime}.containerd.runtimes.runc]`,
    "  runtime_type = 'io.containerd.runc.v2'",
    `[${runtime}.containerd.runtimes.runc.options]`,
    `  SystemdCgroup = ${isSystemdDriver}`,
  );
}

/** config.toml for a minor on a machine. The cgroup driver is systemd unless the machine's image says otherwise. */
export function containerdConfig(minor: KubernetesMinor, declared: MachineDeclaration): string {
  const isSystemdDriver = declared.cgroupDriver !== 'cgroupfs';
  const isRestricted = declared.restrictOomScoreAdj === true;
  const render = minor.containerdConfig === 2 ? version2 : version3;
  return render(minor, isSystemdDriver, isRestricted);
}

/** The unit of containerd's own release, with the payload's path. */
export const containerdUnit = lines(
  '[Unit]',
  'Description=containerd container runtime',
  'Documentation=https://containerd.io',
  'After=network.target local-fs.target',
  '',
  '[Service]',
  'ExecStart=/usr/local/bin/containerd',
  'Type=notify',
  'Delegate=yes',
  'KillMode=process',
  'Restart=always',
  'RestartSec=5',
  'LimitNPROC=infinity',
  'LimitCORE=infinity',
  'TasksMax=infinity',
  'OOMScoreAdjust=-999',
  '',
  '[Install]',
  'WantedBy=multi-user.target',
);

/** What containerd is started from on a machine, for a minor. */
export const containerdFiles = (minor: KubernetesMinor, declared: MachineDeclaration): FileContent[] => [
  { path: paths.containerdConfig, content: containerdConfig(minor, declared), mode: 0o644 },
  { path: paths.containerdUnit, content: containerdUnit, mode: 0o644 },
];
