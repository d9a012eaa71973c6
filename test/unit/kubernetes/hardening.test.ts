import { loadAll } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { apiServerFiles, apiServerSettings } from '../../../provisioners/kubernetes/hardening.ts';
import { initConfig } from '../../../provisioners/kubernetes/kubeadm-config.ts';
import { type KubernetesMinor, minors } from '../../../provisioners/kubernetes/versions.ts';
import { fakeKeys, machineNamed } from './fake-context.ts';
import { settings } from './fake-settings.ts';

interface Document {
  readonly kind: string;
  readonly [key: string]: unknown;
}

const argsSchema = z.object({
  extraArgs: z.union([
    z.record(z.string(), z.string()),
    z.array(z.object({ name: z.string(), value: z.string() })),
  ]),
});
const kubeletSchema = z.object({ tlsCipherSuites: z.array(z.string()), tlsMinVersion: z.string() });
const etcdSchema = z.object({ local: z.unknown() });
const encryptionSchema = z.object({
  resources: z.array(
    z.object({ resources: z.array(z.string()), providers: z.array(z.record(z.string(), z.unknown())) }),
  ),
});
const auditSchema = z.object({
  rules: z.array(
    z.object({
      level: z.string(),
      verbs: z.array(z.string()).optional(),
      nonResourceURLs: z.array(z.string()).optional(),
      resources: z
        .array(z.object({ group: z.string(), resources: z.array(z.string()).optional() }))
        .optional(),
    }),
  ),
});

/** What kubeadm is told for a minor, by kind of document. */
function configured(minor: KubernetesMinor): (kind: string) => Document {
  const version = `v${minor.minor}.1`;
  const text = initConfig({
    minor,
    settings: { ...settings, kubernetesVersion: version },
    machine: machineNamed('c-cp-1'),
    declared: {},
    bootstrapToken: fakeKeys.bootstrapToken,
  });
  const documents = loadAll(text) as Document[];
  return (kind) => documents.find((document) => document.kind === kind) ?? { kind: `no ${kind}` };
}

/** Flags of a component as a map, in whatever form its format has them. */
function flags(component: unknown): Readonly<Record<string, string>> {
  const { extraArgs } = argsSchema.parse(component);
  return Array.isArray(extraArgs)
    ? Object.fromEntries(extraArgs.map(({ name, value }) => [name, value]))
    : extraArgs;
}

const file = (minor: KubernetesMinor, flag: string): Document => {
  const path = apiServerSettings(minor).args[flag];
  const found = apiServerFiles(minor, fakeKeys.encryptionKey).find((one) => one.path === path);
  return (loadAll(found?.content ?? '') as Document[])[0] ?? { kind: `no file for ${flag}` };
};

describe.each(minors.map((minor) => [minor.minor, minor] as const))(
  'H6: hardened flags of every component, Kubernetes %s',
  (_name, minor) => {
    const cluster = configured(minor)('ClusterConfiguration');
    const api = flags(cluster['apiServer']);

    it('every file that a flag of the API server names is laid out for root alone, and mounted', () => {
      const { args, volumes } = apiServerSettings(minor);
      const files = apiServerFiles(minor, fakeKeys.encryptionKey);
      const named = Object.entries(args).filter(([flag]) => /(policy-file|-config|config-file)$/.test(flag));
      expect(named.length).toBeGreaterThanOrEqual(2);
      for (const [flag, path] of named) {
        expect([flag, files.find((one) => one.path === path)?.mode]).toEqual([flag, 0o600]);
        expect([flag, volumes.find((one) => one.path === path)?.readOnly]).toEqual([flag, true]);
      }
      expect(args['audit-log-path']?.startsWith(`${volumes.find(({ readOnly }) => !readOnly)?.path}/`)).toBe(
        true,
      );
      expect(files).toHaveLength(named.length);
    });

    it('kubeadm is told all of them', () => {
      expect(api).toMatchObject(apiServerSettings(minor).args);
      expect(flags(cluster['controllerManager'])).toMatchObject({ profiling: 'false' });
      expect(flags(cluster['scheduler'])).toMatchObject({ profiling: 'false' });
      const { local } = etcdSchema.parse(cluster['etcd']);
      expect(flags(local)['cipher-suites']).toMatch(/^TLS_ECDHE\w+(,TLS_ECDHE\w+)+$/);
    });

    it('API server and kubelet speak TLS 1.2 or newer, by suites with forward secrecy and AEAD alone', () => {
      const kubelet = kubeletSchema.parse(configured(minor)('KubeletConfiguration'));
      const suites = [...(api['tls-cipher-suites'] ?? '').split(','), ...kubelet.tlsCipherSuites];
      for (const suite of suites) expect(suite).toMatch(/^TLS_ECDHE_(RSA|ECDSA)_WITH_AES_\d+_GCM_/);
      expect([api['tls-min-version'], kubelet.tlsMinVersion]).toEqual(['VersionTLS12', 'VersionTLS12']);
    });

    it('the kubelet asks who comes and whether she may, and has no open port', () => {
      expect(configured(minor)('KubeletConfiguration')).toMatchObject({
        authentication: { anonymous: { enabled: false }, webhook: { enabled: true } },
        authorization: { mode: 'Webhook' },
        readOnlyPort: 0,
        protectKernelDefaults: true,
      });
    });

    it('secrets are encrypted in etcd: plain text is only the way to read what was there before', () => {
      const { resources } = encryptionSchema.parse(file(minor, 'encryption-provider-config'));
      expect(resources.map(({ resources: kinds }) => kinds)).toEqual([['secrets']]);
      expect(resources[0]?.providers.map((provider) => Object.keys(provider))).toEqual([
        ['secretbox'],
        ['identity'],
      ]);
    });

    it('the audit log has every change, and the contents of no secret', () => {
      const { rules } = auditSchema.parse(file(minor, 'audit-policy-file'));
      /** The rule that holds: the first that fits. */
      const levelOf = (verb: string, group: string, resource: string): string | undefined =>
        rules.find(
          (rule) =>
            rule.nonResourceURLs === undefined &&
            (rule.verbs?.includes(verb) ?? true) &&
            (rule.resources?.some(
              (one) => one.group === group && (one.resources?.includes(resource) ?? true),
            ) ??
              true),
        )?.level;
      for (const resource of ['secrets', 'configmaps', 'serviceaccounts/token'])
        expect([resource, levelOf('create', '', resource)]).toEqual([resource, 'Metadata']);
      expect(levelOf('delete', '', 'pods')).toBe('Metadata');
      expect(levelOf('create', 'rbac.authorization.k8s.io', 'clusterrolebindings')).toBe('Request');
    });

    if (minor.hasPodSecurity)
      it('Pod Security enforces baseline everywhere but in kube-system', () => {
        expect(file(minor, 'admission-control-config-file')).toMatchObject({
          plugins: [
            {
              name: 'PodSecurity',
              configuration: {
                defaults: { enforce: 'baseline' },
                exemptions: { namespaces: ['kube-system'] },
              },
            },
          ],
        });
      });

    if (minor.hasAnonymousPaths)
      it('anonymous requests see the health paths and nothing else', () => {
        expect(file(minor, 'authentication-config')).toMatchObject({
          anonymous: {
            enabled: true,
            conditions: [{ path: '/livez' }, { path: '/readyz' }, { path: '/healthz' }],
          },
        });
      });
  },
);
