import { z } from 'zod';
import type { AddonInput } from '../../contract/addon.ts';
import type { JsonObject } from '../../contract/json.ts';
import { defineStep } from '../../contract/step.ts';
import { seconds } from '../../contract/time.ts';
import { addonFor, addonObjects } from '../addon-objects.ts';
import { accessSchema, type NoFacts } from '../cluster-settings.ts';
import { lengthy } from '../limits.ts';
import { addonMark, readMarks, setMark } from '../marks.ts';

const inputSchema = z.strictObject({
  name: z.string(),
  version: z.string(),
  kubernetesVersion: z.string(),
  podCidr: z.string(),
  serviceCidr: z.string(),
  serviceDomain: z.string(),
  /** The add-on's own section of the answer file. */
  settings: z.custom<JsonObject>(
    (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  ),
  access: accessSchema,
});

const addonInput = (input: z.infer<typeof inputSchema>): AddonInput => ({
  kubernetesVersion: input.kubernetesVersion,
  podCidr: input.podCidr,
  serviceCidr: input.serviceCidr,
  serviceDomain: input.serviceDomain,
  settings: input.settings,
});

/** Puts one add-on into the cluster and waits until it is well. */
export const addonInstall = defineStep<z.infer<typeof inputSchema>, NoFacts>({
  kind: 'addon.install',
  version: 1,
  nature: 'ensure',
  phase: 'add-ons',
  destructive: false,
  title: ({ name, version }) => `Install ${name} ${version}`,
  schema: inputSchema,
  limits: lengthy,
  async observe(context, input) {
    const { digest } = addonObjects(input.name, input.version, addonInput(input));
    const marks = await readMarks(context, input.access);
    if (marks[addonMark(input.name)] !== digest)
      return { state: 'todo', why: `${input.name} ${input.version} is not installed as asked` };
    const awaited = await addonFor(input.name).health(context, input.access);
    if (awaited.length === 0) return { state: 'done', facts: {} };
    const what = `${input.name} to be well`;
    return {
      state: 'pending',
      what,
      lastSeen: awaited.join('; '),
      since: context.now(),
      usually: seconds(30),
    };
  },
  async apply(context, input) {
    const { objects, digest } = addonObjects(input.name, input.version, addonInput(input));
    await context.kubernetes.apply(input.access, objects);
    await setMark(context, input.access, addonMark(input.name), digest);
  },
});
