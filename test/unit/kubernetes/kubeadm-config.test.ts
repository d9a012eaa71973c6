import { loadAll } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { discoveryConfig, initConfig, joinConfig } from '../../../provisioners/kubernetes/kubeadm-config.ts';
import type { KubeadmInput } from '../../../provisioners/kubernetes/kubeadm-input.ts';
import {
  kubeadmImages,
  minorFor,
  minors,
  type KubernetesMinor,
} from '../../../provisioners/kubernetes/versions.ts';
import { fakeKeys, machineNamed } from './fake-context.ts';
import { settings } from './fake-settings.ts';

const input = (minor: KubernetesMinor, version: string): KubeadmInput => ({
  minor,
  settings: { ...settings, kubernetesVersion: version },
  machine: machineNamed('c-cp-1'),
  declared: {},
  bootstrapToken: fakeKeys.bootstrapToken,
});

const lab = minorFor('1.20.2');
const current = minorFor('1.37.1');
/** No minor of the table writes v1beta3 any more; clusters on the way from one do. */
const between: KubernetesMinor = { ...current, minor: '1.28', kubeadmApi: 'v1beta3' };

interface Document {
  readonly kind: string;
  readonly apiServer?: { readonly extraArgs: unknown };
  readonly [key: string]: unknown;
}

const documents = (text: string): Document[] => loadAll(text) as Document[];

describe('kubeadm configuration', () => {
  for (const [minor, version] of [
    [lab, 'v1.20.2'],
    [between, 'v1.28.9'],
    [current, 'v1.37.1'],
  ] as const) {
    it(`writes ${minor.kubeadmApi}`, () => {
      const made = input(minor, version);
      const join = joinConfig({ ...made, machine: machineNamed('c-cp-2', '10.0.0.12'), isMaster: true });
      expect(`${initConfig(made)}\n### join\n${join}`).toMatchSnapshot();
    });
  }

  it('writes flags as a map up to v1beta3 and as a list from v1beta4', () => {
    const argsOf = (minor: KubernetesMinor) =>
      documents(initConfig(input(minor, 'v1.37.1'))).find(({ kind }) => kind === 'ClusterConfiguration')
        ?.apiServer?.extraArgs;
    expect(Array.isArray(argsOf(lab))).toBe(false);
    expect(Array.isArray(argsOf(between))).toBe(false);
    expect(argsOf(current)).toContainEqual({ name: 'profiling', value: 'false' });
  });

  it('joins a worker without a control plane', () => {
    const [join] = documents(joinConfig({ ...input(current, 'v1.37.1'), isMaster: false }));
    expect(join).not.toHaveProperty('controlPlane');
  });

  it('follows the ground a machine declares (GROUND §1)', () => {
    const made = {
      ...input(lab, 'v1.20.2'),
      declared: { cgroupDriver: 'cgroupfs', conntrackUntouched: true, ignorePreflightErrors: ['Swap'] },
    } as const;
    const all = documents(initConfig(made));
    expect(all.find(({ kind }) => kind === 'KubeletConfiguration')).toMatchObject({
      cgroupDriver: 'cgroupfs',
      failSwapOn: false,
      readOnlyPort: 0,
      authentication: { anonymous: { enabled: false } },
    });
    expect(all.find(({ kind }) => kind === 'KubeProxyConfiguration')).toMatchObject({
      conntrack: { maxPerCore: 0, min: 0 },
    });
  });

  it('discovers by a file with its own credential, so that no anonymous request is needed', () => {
    const text = discoveryConfig({ host: '10.0.0.100', port: 6443 }, 'PEM', 'abcdef.0123456789abcdef');
    expect(documents(text)[0]).toMatchObject({
      clusters: [{ cluster: { server: 'https://10.0.0.100:6443', 'certificate-authority-data': 'UEVN' } }],
      users: [{ user: { token: 'abcdef.0123456789abcdef' } }],
    });
  });
});

describe('version table', () => {
  it('offers users the three current minors, and the lab its own', () => {
    const of = (audience: string) =>
      minors.filter((row) => row.audience === audience).map(({ minor }) => minor);
    expect(of('users')).toEqual(['1.37', '1.36', '1.35']);
    expect(of('lab')).toEqual(['1.20']);
  });

  it('names every image kubeadm asks for', () => {
    expect(kubeadmImages('1.20.2')).toContain('k8s.gcr.io/coredns:1.7.0');
    expect(kubeadmImages('v1.37.1')).toContain('registry.k8s.io/etcd:3.7.0-0');
  });

  it('refuses a minor it does not know, naming those it does', () => {
    expect(() => minorFor('1.19.0')).toThrow(
      'Kubernetes 1.19.0 is not a version this release of Remuda knows',
    );
  });
});
