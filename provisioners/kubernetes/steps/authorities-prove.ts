import { z } from 'zod';
import { type MachineRef, machineRefSchema } from '../../contract/machine.ts';
import { defineStep, type Observation, type StepContext } from '../../contract/step.ts';
import { speakingSince } from '../authority-publication.ts';
import { lookAtReaders, whyStale } from '../authority-readers.ts';
import {
  believesAll,
  digestOfAuthorities,
  isOfAnother,
  knownAuthorities,
  masterKubeconfigs,
  readAuthoritiesMark,
} from '../authority-trust.ts';
import { accessSchema, type NoFacts } from '../cluster-settings.ts';
import { kubeletCertificatePaths } from '../kubelet-authorities.ts';
import { untilMended } from '../limits.ts';
import { authoritiesMark, readMarks } from '../marks.ts';
import { paths } from '../paths.ts';

const inputSchema = z.strictObject({
  /** What comes next: `reissue` asks that everybody believes both authorities, `drop` that nobody uses the old one. */
  before: z.enum(['reissue', 'drop']),
  masters: z.array(machineRefSchema).min(1),
  workers: z.array(machineRefSchema),
  access: accessSchema,
});
type Input = z.infer<typeof inputSchema>;

const authorityData = /certificate-authority-data:\s*(\S+)/gu;

/** Which files of a machine do not name all that is believed; kubeconfigs that are not there count for nothing. */
async function doubters(context: StepContext, machine: MachineRef, isMaster: boolean): Promise<string[]> {
  const keys = await context.secrets.clusterKeys();
  const kubeconfigs = [paths.kubeletKubeconfig, ...(isMaster ? masterKubeconfigs : [])];
  const texts = await Promise.all(
    [`${paths.pki}/ca.crt`, ...kubeconfigs].map(async (path) => ({
      path,
      text: await context.file.read(machine, path),
    })),
  );
  return texts.flatMap(({ path, text }) => {
    if (text === undefined) return [];
    const embedded = [...text.matchAll(authorityData)].map(([, data = '']) =>
      Buffer.from(data, 'base64').toString(),
    );
    const all = path.endsWith('.crt') ? [text] : embedded;
    return all.every((pem) => believesAll(pem, keys))
      ? []
      : [`${path} of ${machine.name} does not name both`];
  });
}

/** What on a machine uses something that another authority has signed. */
async function holdouts(
  context: StepContext,
  machine: MachineRef,
  isMaster: boolean,
  apiPort: number,
): Promise<string[]> {
  const keys = await context.secrets.clusterKeys();
  if (!isMaster) {
    const own = await context.host.certificates(machine, knownAuthorities(keys));
    const names = own.filter((one) => one.name in kubeletCertificatePaths && isOfAnother(keys, one));
    return names.map(({ name }) => `${name} of ${machine.name} was signed by the old one`);
  }
  const { files, components } = await lookAtReaders(context, machine, apiPort);
  return [
    ...files
      .filter((one) => isOfAnother(keys, one))
      .map(({ name }) => `${name} of ${machine.name} was signed by the old one`),
    ...components.flatMap((component) => {
      const stale = whyStale(component, files);
      if (stale !== undefined) return [`on ${machine.name}, ${stale}`];
      return component.state.served === undefined
        ? [`${component.name} of ${machine.name} does not answer`]
        : [];
    }),
  ];
}

/** Every machine's own answer, the first ten and how many there are. */
function told(all: readonly string[]): string {
  const more = all.length > 10 ? `; and ${all.length - 10} more` : '';
  return `${all.slice(0, 10).join('; ')}${more}`;
}

async function pods(
  context: StepContext,
  { access }: Input,
): Promise<Extract<Observation<never>, { state: 'blocked' }> | undefined> {
  const mark = readAuthoritiesMark((await readMarks(context, access))[authoritiesMark]);
  if (mark?.authorities !== digestOfAuthorities(await context.secrets.clusterKeys()))
    return {
      state: 'blocked',
      why: 'the cluster does not say that all its pods are told of both authorities',
      remedy: 'Let everybody believe both first: remuda certificates rotate CLUSTER --stage trust.',
    };
  const old = await speakingSince(context, access, mark.since);
  if (old.length === 0) return undefined;
  const names = old.map(({ namespace, name }) => `${namespace}/${name}`);
  return {
    state: 'blocked',
    what: 'these pods to be started anew',
    why: `${old.length === 1 ? '1 pod speaks to the API and was' : `${old.length} pods speak to the API and were`} started before ${mark.since}, and believe${old.length === 1 ? 's' : ''} the old authority alone: ${told(names)}`,
    remedy:
      'Start them anew, for example with kubectl rollout restart deployment NAME -n NAMESPACE; then ask again.',
  };
}

/**
 * Sees whether the next stage of a rotation would leave somebody behind. Looks at every machine, and at every pod that
 * speaks to the API; who cannot be reached was not seen, and then nothing is proven.
 */
export const authoritiesProve = defineStep<Input, NoFacts>({
  kind: 'authorities.prove',
  version: 1,
  nature: 'ensure',
  phase: 'verification',
  destructive: false,
  title: ({ before }) =>
    before === 'reissue'
      ? 'See that everybody believes both authorities'
      : 'See that nobody uses the old authorities',
  schema: inputSchema,
  limits: untilMended,
  async observe(context, input) {
    const { before, masters, workers, access } = input;
    const machines = [
      ...masters.map((machine) => ({ machine, isMaster: true })),
      ...workers.map((machine) => ({ machine, isMaster: false })),
    ];
    const found = await Promise.all(
      machines.map(({ machine, isMaster }) =>
        before === 'reissue'
          ? doubters(context, machine, isMaster)
          : holdouts(context, machine, isMaster, access.apiPort),
      ),
    );
    const all = found.flat();
    if (all.length > 0)
      return {
        state: 'blocked',
        what: 'every machine to follow',
        why: told(all),
        remedy: `Run the stage before once more: remuda certificates rotate CLUSTER --stage ${before === 'reissue' ? 'trust' : 'reissue'}.`,
      };
    return (before === 'reissue' ? await pods(context, input) : undefined) ?? { state: 'done', facts: {} };
  },
  async apply() {
    // There is nothing to do but to look again: it is never `todo`.
  },
});
