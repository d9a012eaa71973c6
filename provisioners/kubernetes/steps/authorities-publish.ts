import { z } from 'zod';
import { machineRefSchema } from '../../contract/machine.ts';
import { Transient } from '../../contract/problem.ts';
import { defineStep, type StepContext } from '../../contract/step.ts';
import { seconds } from '../../contract/time.ts';
import {
  exchangePods,
  ownWorkloads,
  strayClusterInfo,
  unpublishedNamespaces,
} from '../authority-publication.ts';
import { digestOfAuthorities, isRotating, readAuthoritiesMark } from '../authority-trust.ts';
import { accessSchema, clusterSettingsSchema, type NoFacts } from '../cluster-settings.ts';
import { look, putConfiguration } from '../kubeadm-config-map.ts';
import { proof } from '../limits.ts';
import { authoritiesMark, readMarks, setMark } from '../marks.ts';

const inputSchema = z.strictObject({
  /** A master that stays: what kubeadm is told of itself does not end up in the shared configuration. */
  machine: machineRefSchema,
  settings: clusterSettingsSchema,
  access: accessSchema,
  /** Whether what is believed may have become more, so that pods of ours have to read it anew. */
  exchangesPods: z.boolean(),
});
type Input = z.infer<typeof inputSchema>;

/** What is told by us and not told yet, in words; undefined when it is. */
async function untold(context: StepContext, input: Input): Promise<string | undefined> {
  if ((await strayClusterInfo(context, input.access)) !== undefined)
    return 'machines that join are told of other authorities';
  const { isSame } = await look(context, input);
  return isSame ? undefined : "kubeadm's configuration lets masters sign with another file";
}

/** What the cluster's own controllers have still to do, in words. */
async function untoldByOthers(context: StepContext, { access }: Input): Promise<string | undefined> {
  const namespaces = await unpublishedNamespaces(context, access);
  if (namespaces.length === 0) return undefined;
  const more = namespaces.length > 10 ? ` and ${namespaces.length - 10} more` : '';
  return `pods in ${namespaces.slice(0, 10).join(', ')}${more} are not given the authorities yet`;
}

/** The workloads that are to read the authorities anew: none where there never were others. */
async function workloads(context: StepContext, { access, exchangesPods }: Input) {
  if (!exchangesPods || (await readMarks(context, access))[authoritiesMark] === undefined) return [];
  return ownWorkloads(context, access, digestOfAuthorities(await context.secrets.clusterKeys()));
}

/** Whether the cluster bears the mark of these authorities; one that knows of no rotation needs none. */
async function isMarked(context: StepContext, { access }: Input): Promise<boolean> {
  const mark = readAuthoritiesMark((await readMarks(context, access))[authoritiesMark]);
  const keys = await context.secrets.clusterKeys();
  return mark === undefined ? !isRotating(keys) : mark.authorities === digestOfAuthorities(keys);
}

/** Writes down since when whoever starts believes these authorities. */
async function putMark(context: StepContext, { access }: Input): Promise<void> {
  const authorities = digestOfAuthorities(await context.secrets.clusterKeys());
  await setMark(context, access, authoritiesMark, JSON.stringify({ authorities, since: context.now() }));
  // Times of pods are in whole seconds: those that come now must be told from those that were there.
  await context.sleep(seconds(2));
}

/**
 * Tells everybody in the cluster which authorities are believed: machines that join, pods of every namespace, and our own
 * pods, which are exchanged so that they read it. From its mark on, pods that start believe all.
 */
export const authoritiesPublish = defineStep<Input, NoFacts>({
  kind: 'authorities.publish',
  version: 1,
  nature: 'ensure',
  phase: 'verification',
  destructive: false,
  disrupts: true,
  title: () => 'Tell the cluster which authorities are believed',
  schema: inputSchema,
  limits: proof,
  async observe(context, input) {
    const why = await untold(context, input);
    if (why !== undefined) return { state: 'todo', why };
    const since = context.now();
    const lastSeen = await untoldByOthers(context, input);
    if (lastSeen !== undefined)
      return {
        state: 'pending',
        what: 'the controllers to tell every pod',
        lastSeen,
        since,
        usually: seconds(30),
      };
    if (!(await isMarked(context, input)))
      return {
        state: 'todo',
        why: 'the cluster does not say yet since when its pods believe these authorities',
      };
    const own = await workloads(context, input);
    const old = own.find((one) => !one.isMarked);
    if (old !== undefined)
      return { state: 'todo', why: `the pods of ${old.reference.name} have not read the authorities yet` };
    const rolling = own.find((one) => !one.isRolledOut);
    if (rolling === undefined) return { state: 'done', facts: {} };
    const what = `the pods of ${rolling.reference.name} to be exchanged`;
    return { state: 'pending', what, since, usually: seconds(60) };
  },
  async apply(context, input) {
    const { access } = input;
    const { isSame, wanted } = await look(context, input);
    if (!isSame) await putConfiguration(context, access, wanted);
    const lacking = await untoldByOthers(context, input);
    if (lacking !== undefined) throw new Transient('CERT-012', `Not everybody is told yet: ${lacking}`);
    const info = await strayClusterInfo(context, access);
    const marks = await readMarks(context, access);
    // Data that is older than a rotation has no other trace of there having been one: the mark is first then, else last.
    if (info !== undefined && marks[authoritiesMark] === undefined) await putMark(context, input);
    if (info !== undefined) await context.kubernetes.apply(access, [info]);
    if (!(await isMarked(context, input))) await putMark(context, input);
    const authorities = digestOfAuthorities(await context.secrets.clusterKeys());
    for (const workload of await workloads(context, input))
      if (!workload.isMarked) await exchangePods(context, access, workload, authorities);
  },
});
