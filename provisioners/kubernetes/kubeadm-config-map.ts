import { dump, load } from 'js-yaml';
import { z } from 'zod';
import { canonicalJson, type Json } from '../contract/json.ts';
import type { MachineRef } from '../contract/machine.ts';
import type { ControlPlaneAccess } from '../contract/ports/etcd.ts';
import { Blocked } from '../contract/problem.ts';
import type { StepContext } from '../contract/step.ts';
import type { ClusterSettings } from './cluster-settings.ts';
import { clusterConfigurationOf, minorOfCluster } from './kubeadm-config.ts';

/** What the configuration that all masters share is made from. */
interface Shared {
  /** A master that stays: what kubeadm is told of itself does not end up in the shared configuration. */
  readonly machine: MachineRef;
  readonly settings: ClusterSettings;
  readonly access: ControlPlaneAccess;
}

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

/** What kubeadm's configuration says and should say. @throws Blocked when kubeadm's configuration is not in the cluster: nobody could join it any more */
export async function look(context: StepContext, { machine, settings, access }: Shared) {
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

/** Puts it into the cluster. */
export async function putConfiguration(
  context: StepContext,
  access: ControlPlaneAccess,
  wanted: Readonly<Record<string, unknown>>,
): Promise<void> {
  const { apiVersion, kind, ...metadata } = reference;
  const data = { [key]: dump(wanted, { lineWidth: -1 }) };
  await context.kubernetes.apply(access, [{ apiVersion, kind, metadata, data }]);
}
