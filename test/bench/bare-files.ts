import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { dump } from 'js-yaml';
import { containerdConfig, containerdUnit } from '../../provisioners/kubernetes/containerd-config.ts';
import { haproxyConfig, keepalivedConfig } from '../../provisioners/kubernetes/endpoint-config.ts';
import { minorFor } from '../../provisioners/kubernetes/versions.ts';

/** Version of both sides. */
export const version = 'v1.20.2';
/** Bootstrap token and certificate key, drawn before, so that nothing waits for them. */
export const token = 'abcdef.0123456789abcdef';
export const certificateKey = '0'.repeat(64);

/** One machine of the yardstick. */
export interface Host {
  readonly name: string;
  readonly address: string;
  readonly isMaster: boolean;
}

/** The files every machine of its role gets, below a folder that is unpacked over its root. */
export function layOut(folder: string, host: Host, masters: readonly Host[], endpoint: string): void {
  const declared = { cgroupDriver: 'cgroupfs', restrictOomScoreAdj: true } as const;
  const machine = { ...host, port: 22, user: 'root', hostKeys: [] };
  const input = {
    machine,
    masters,
    apiPort: 6444,
    endpoint: { host: endpoint, port: 6443 },
    network: { interface: 'eth0', prefix: 24 },
  };
  const kubelet =
    '[Service]\nExecStart=/usr/local/bin/kubelet $KUBELET_KUBECONFIG_ARGS $KUBELET_CONFIG_ARGS $KUBELET_KUBEADM_ARGS\nRestart=always\nRestartSec=2\nEnvironment="KUBELET_KUBECONFIG_ARGS=--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf --kubeconfig=/etc/kubernetes/kubelet.conf" "KUBELET_CONFIG_ARGS=--config=/var/lib/kubelet/config.yaml"\nEnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env\n[Unit]\nConditionPathExists=/var/lib/kubelet/config.yaml\n[Install]\nWantedBy=multi-user.target\n';
  const files: Record<string, string> = {
    'etc/containerd/config.toml': containerdConfig(minorFor(version), declared),
    'etc/systemd/system/containerd.service': containerdUnit,
    'etc/systemd/system/kubelet.service': kubelet,
    ...(host.isMaster && {
      'etc/haproxy/haproxy.cfg': haproxyConfig(input),
      'etc/keepalived/keepalived.conf': keepalivedConfig(input, 'password'),
      'root/kubeadm.yaml': initConfig(host, endpoint),
    }),
  };
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(folder, dirname(path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
}

const initConfig = (host: Host, endpoint: string): string =>
  [
    {
      apiVersion: 'kubeadm.k8s.io/v1beta2',
      kind: 'InitConfiguration',
      bootstrapTokens: [{ token }],
      certificateKey,
      localAPIEndpoint: { advertiseAddress: host.address, bindPort: 6444 },
      nodeRegistration: { criSocket: '/run/containerd/containerd.sock' },
    },
    {
      apiVersion: 'kubeadm.k8s.io/v1beta2',
      kind: 'ClusterConfiguration',
      kubernetesVersion: version,
      controlPlaneEndpoint: `${endpoint}:6443`,
      networking: { podSubnet: '10.244.0.0/16' },
    },
    {
      apiVersion: 'kubelet.config.k8s.io/v1beta1',
      kind: 'KubeletConfiguration',
      cgroupDriver: 'cgroupfs',
      failSwapOn: false,
    },
    {
      apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
      kind: 'KubeProxyConfiguration',
      mode: 'iptables',
      conntrack: { maxPerCore: 0, min: 0 },
    },
  ]
    .map((document) => dump(document))
    .join('---\n');
