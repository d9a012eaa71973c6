import { z } from 'zod';
import type { AddonInput } from '../../contract/addon.ts';
import type { JsonObject } from '../../contract/json.ts';
import type { KubernetesObject } from '../../contract/ports/kubernetes.ts';
import { defineStep, type StepContext } from '../../contract/step.ts';
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

/** The part of an object that nobody but whoever installed it writes. */
const contentSchema = z.looseObject({ data: z.record(z.string(), z.unknown()).default({}) });

/**
 * Objects of an add-on that are gone, and ConfigMaps that hold something else. Other kinds have fields that the server
 * and controllers complete, so that they cannot be compared word for word.
 */
async function changedObjects(
  context: StepContext,
  access: z.infer<typeof accessSchema>,
  objects: readonly KubernetesObject[],
): Promise<readonly string[]> {
  const looks = objects.map(async (object) => {
    const { apiVersion, kind, metadata } = object;
    const { name, namespace } = metadata;
    const what = `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
    const found = await context.kubernetes.get(access, {
      apiVersion,
      kind,
      name,
      ...(namespace === undefined ? {} : { namespace }),
    });
    if (found === undefined) return [`${what} is gone`];
    if (kind !== 'ConfigMap') return [];
    const [wanted, there] = [contentSchema.parse(object).data, contentSchema.parse(found).data];
    return Object.keys(wanted)
      .filter((key) => wanted[key] !== there[key])
      .map((key) => `${what}: ${key} was changed`);
  });
  return (await Promise.all(looks)).flat();
}

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
    const { digest, objects } = addonObjects(input.name, input.version, addonInput(input));
    const marks = await readMarks(context, input.access);
    if (marks[addonMark(input.name)] !== digest)
      return { state: 'todo', why: `${input.name} ${input.version} is not installed as asked` };
    const awaited = await addonFor(input.name).health(context, input.access);
    // Health says that it works; what somebody took away or changed may be missed only later.
    const changed = await changedObjects(context, input.access, objects);
    if (changed.length > 0) return { state: 'broken', why: changed.join('; ') };
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
