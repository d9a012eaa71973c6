import type { KubeadmInput } from './kubeadm-input.ts';
import {
  apiServerSettings,
  type ComponentSettings,
  controllerManagerArgs,
  etcdArgs,
  schedulerArgs,
} from './hardening.ts';
import { paths } from './paths.ts';

/** Flags by component, hardened, with the escape hatch's on top. */
export interface ComponentArguments {
  readonly apiServer: ComponentSettings;
  readonly controllerManager: Readonly<Record<string, string>>;
  readonly scheduler: Readonly<Record<string, string>>;
  readonly etcd: Readonly<Record<string, string>>;
  readonly kubelet: Readonly<Record<string, string>>;
}

/** What every format says of the components, before it is put into that format's words. */
export function componentArguments({ minor, settings, machine }: KubeadmInput): ComponentArguments {
  const { extraArgs } = settings;
  const apiServer = apiServerSettings(minor);
  return {
    apiServer: { ...apiServer, args: { ...apiServer.args, ...extraArgs.apiServer } },
    controllerManager: {
      ...controllerManagerArgs,
      ...(settings.hasAuthorityChain === true ? { 'root-ca-file': paths.authorityChain } : {}),
      ...extraArgs.controllerManager,
    },
    scheduler: { ...schedulerArgs, ...extraArgs.scheduler },
    etcd: { ...etcdArgs(minor), ...extraArgs.etcd },
    // Several addresses may stand on one machine (a virtual one, a pod network): this is the one we reach it by.
    kubelet: { 'node-ip': machine.address, ...extraArgs.kubelet },
  };
}

/** kubeadm's HostPathMount, the same in all formats. */
export const extraVolumes = ({ volumes }: ComponentSettings): object[] =>
  volumes.map(({ name, path, readOnly, pathType }) => ({
    name,
    hostPath: path,
    mountPath: path,
    readOnly,
    pathType,
  }));

/** Networking and names, the same in all formats. */
export const networking = ({ settings }: KubeadmInput): object => ({
  clusterName: settings.name,
  kubernetesVersion: settings.kubernetesVersion,
  controlPlaneEndpoint: `${settings.endpoint.host}:${settings.endpoint.port}`,
  networking: {
    podSubnet: settings.podCidr,
    serviceSubnet: settings.serviceCidr,
    dnsDomain: settings.serviceDomain,
  },
});

/** The member of each master, or where etcd stands apart, how its members are reached. */
export const etcdSection = ({ settings }: KubeadmInput, local: object): object =>
  settings.etcd === undefined
    ? { local }
    : {
        external: {
          endpoints: settings.etcd.endpoints,
          caFile: `${paths.pki}/etcd/ca.crt`,
          certFile: `${paths.pki}/apiserver-etcd-client.crt`,
          keyFile: `${paths.pki}/apiserver-etcd-client.key`,
        },
      };

/** Where this machine's own API server listens. */
export const localEndpoint = ({ settings, machine }: KubeadmInput): object => ({
  advertiseAddress: machine.address,
  bindPort: settings.apiPort,
});

/** Names and addresses the API server answers to beside its own and the endpoint, which kubeadm adds. */
export const certSANs = ({ settings }: KubeadmInput): readonly string[] => settings.certSANs;

/** Tokens live for a day (kubeadm's default): long enough for every join of one operation. */
const tokenTtl = '24h0m0s';

/** Groups and usages kubeadm gives its own bootstrap tokens. */
export const bootstrapTokens = ({ bootstrapToken }: KubeadmInput): object[] => [
  {
    token: bootstrapToken,
    ttl: tokenTtl,
    usages: ['signing', 'authentication'],
    groups: ['system:bootstrappers:kubeadm:default-node-token'],
    description: 'Remuda: joins of machines',
  },
];
