import { z } from 'zod';
import { machineRefSchema } from '../../contract/machine.ts';
import { defineStep } from '../../contract/step.ts';
import type { NoFacts } from '../cluster-settings.ts';
import { applyService, observeService } from '../configured-service.ts';
import { etcdKubelet } from '../etcd-kubelet.ts';
import { quick } from '../limits.ts';
import { declarationOf } from '../machine-declaration.ts';
import { minorFor } from '../versions.ts';

const inputSchema = z.strictObject({ machine: machineRefSchema, kubernetesVersion: z.string() });

/** Starts the kubelet of a machine of etcd, which belongs to no cluster and runs static pods only. */
export const etcdKubeletStart = defineStep<z.infer<typeof inputSchema>, NoFacts>({
  kind: 'etcd-kubelet.start',
  version: 1,
  nature: 'ensure',
  phase: 'preparation',
  destructive: false,
  title: ({ machine }) => `Start a kubelet for etcd alone on ${machine.name}`,
  schema: inputSchema,
  limits: quick,
  async observe(context, { machine, kubernetesVersion }) {
    const declared = await declarationOf(context, machine);
    return observeService(context, machine, etcdKubelet(minorFor(kubernetesVersion), declared));
  },
  async apply(context, { machine, kubernetesVersion }) {
    const declared = await declarationOf(context, machine);
    await applyService(context, machine, etcdKubelet(minorFor(kubernetesVersion), declared));
  },
});
