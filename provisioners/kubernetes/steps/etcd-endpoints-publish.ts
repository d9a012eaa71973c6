import { z } from 'zod';
import { machineRefSchema } from '../../contract/machine.ts';
import { defineStep } from '../../contract/step.ts';
import { accessSchema, clusterSettingsSchema, type NoFacts } from '../cluster-settings.ts';
import { etcdEndpoint, etcdMark, serveEndpoints, whyNotServed } from '../etcd-endpoints.ts';
import { proof } from '../limits.ts';
import { readMarks, setMark } from '../marks.ts';
import { look, putConfiguration } from '../kubeadm-config-map.ts';

const inputSchema = z.strictObject({
  /** Masters whose API servers are told, one after another. */
  masters: z.array(machineRefSchema).min(1),
  /** Members that stay, and what the pass is for: `without demo-etcd-1`. */
  etcd: z.array(z.strictObject({ name: z.string(), address: z.string() })).min(1),
  settings: clusterSettingsSchema,
  access: accessSchema,
  /** What the cluster says of its etcd afterwards; absent when more is to come. */
  note: z.string().optional(),
});
type Input = z.infer<typeof inputSchema>;

/** In the order of their names, so that the order of a list changes no flag. */
const endpointsOf = ({ etcd }: Input): string[] =>
  etcd
    .toSorted((one, other) => one.name.localeCompare(other.name, 'en', { numeric: true }))
    .map(({ address }) => etcdEndpoint(address));

const withEndpoints = (input: Input) => {
  const { masters, settings, access } = input;
  const [machine] = masters;
  if (machine === undefined) throw new Error('the schema asks for a master');
  return { machine, access, settings: { ...settings, etcd: { endpoints: endpointsOf(input) } } };
};

/**
 * Tells API servers who etcd's members are, one master after another, each only when the last one answers again; and
 * kubeadm's configuration, for masters that come later. Before a member leaves nobody is left who asks it.
 */
export const etcdEndpointsPublish = defineStep<Input, NoFacts>({
  kind: 'etcd-endpoints.publish',
  version: 1,
  nature: 'ensure',
  phase: 'control plane',
  destructive: false,
  disrupts: true,
  title: ({ etcd }) => `Let the API servers use etcd on ${etcd.map(({ name }) => name).join(', ')}`,
  schema: inputSchema,
  limits: proof,
  async observe(context, input) {
    const wish = { endpoints: endpointsOf(input), access: input.access };
    for (const master of input.masters) {
      const why = await whyNotServed(context, master, wish);
      if (why !== undefined) return { state: 'todo', why };
    }
    const { isSame } = await look(context, withEndpoints(input));
    if (!isSame) return { state: 'todo', why: "kubeadm's configuration names other members of etcd" };
    const marks = input.note === undefined ? {} : await readMarks(context, input.access);
    if (marks[etcdMark] === input.note) return { state: 'done', facts: {} };
    return { state: 'todo', why: 'the cluster does not say yet what its etcd was made from' };
  },
  async apply(context, input) {
    const wish = { endpoints: endpointsOf(input), access: input.access };
    for (const master of input.masters) {
      if ((await whyNotServed(context, master, wish)) === undefined) continue;
      context.log(`the API server of ${master.name} is told who etcd's members are`, master.name);
      await serveEndpoints(context, master, wish);
    }
    const configuration = await look(context, withEndpoints(input));
    if (!configuration.isSame) await putConfiguration(context, input.access, configuration.wanted);
    if (input.note !== undefined) await setMark(context, input.access, etcdMark, input.note);
  },
});
