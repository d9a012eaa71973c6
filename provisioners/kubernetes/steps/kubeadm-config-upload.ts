import { dump, load } from 'js-yaml';
import { z } from 'zod';
import { canonicalJson, type Json } from '../../contract/json.ts';
import { machineRefSchema } from '../../contract/machine.ts';
import { Blocked } from '../../contract/problem.ts';
import { defineStep, type StepContext } from '../../contract/step.ts';
import { accessSchema, clusterSettingsSchema, type NoFacts } from '../cluster-settings.ts';
import { clusterConfigurationOf, minorOfCluster } from '../kubeadm-config.ts';
import { quick } from '../limits.ts';

const inputSchema = z.strictObject({
  /** A master that stays: what kubeadm is told of itself does not end up in the shared configuration. */
  machine: machineRefSchema,
  settings: clusterSettingsSchema,
  access: accessSchema,
});
type Input = z.infer<typeof inputSchema>;

/** Where kubeadm keeps what every join of a master reads (kubeadm's constants.KubeadmConfigConfigMap). */
const reference = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  namespace: 'kube-system',
  name: 'kubeadm-config',
} as const;

const key = 'ClusterConfiguration';

const configMapSchema = z.object({ data: z.record(z.string(), z.string()) });
const sectionsSchema = z.record(z.string(), z.unknown());

const isSection = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What is there with ours on top, a section deep: kubeadm's own defaults stay. */
function merged(
  there: Readonly<Record<string, unknown>>,
  ours: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const sections = Object.entries(ours).map(([name, value]): [string, unknown] => {
    const before = there[name];
    return [name, isSection(before) && isSection(value) ? { ...before, ...value } : value];
  });
  return { ...there, ...Object.fromEntries(sections) };
}

/** @throws Blocked when kubeadm's configuration is not in the cluster: nobody could join it any more */
async function look(context: StepContext, { machine, settings, access }: Input) {
  const object = await context.kubernetes.get(access, reference);
  if (object === undefined)
    throw new Blocked(
      'KUBEADM-010',
      "The cluster has lost kubeadm's own configuration (kube-system/kubeadm-config)",
      {
        remedy: 'Put the ConfigMap back from a backup of etcd; without it no machine can join.',
      },
    );
  const { data } = configMapSchema.parse(object);
  const there = sectionsSchema.parse(load(data[key] ?? '{}'));
  const ours = clusterConfigurationOf({ minor: minorOfCluster(settings), settings, machine });
  const wanted = merged(there, sectionsSchema.parse(ours));
  return { isSame: canonicalJson(there as Json) === canonicalJson(wanted as Json), there, wanted };
}

/** Tells the cluster's kubeadm which version the machines that join from now on are to run (row C3). */
export const kubeadmConfigUpload = defineStep<Input, NoFacts>({
  kind: 'kubeadm-config.upload',
  version: 1,
  nature: 'ensure',
  phase: 'control plane',
  destructive: false,
  title: ({ settings }) => `Let new masters run Kubernetes ${settings.kubernetesVersion}`,
  schema: inputSchema,
  limits: quick,
  async observe(context, input) {
    const { isSame, there } = await look(context, input);
    if (isSame) return { state: 'done', facts: {} };
    return { state: 'todo', why: `kubeadm's configuration speaks of ${String(there['kubernetesVersion'])}` };
  },
  async apply(context, input) {
    const { wanted } = await look(context, input);
    const { apiVersion, kind, ...metadata } = reference;
    const data = { [key]: dump(wanted, { lineWidth: -1 }) };
    await context.kubernetes.apply(input.access, [{ apiVersion, kind, metadata, data }]);
  },
});
