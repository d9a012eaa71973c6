import { createHash } from 'node:crypto';
import type { MachineRef } from '../contract/machine.ts';
import type { FileContent } from '../contract/ports/file.ts';
import type { Observation, StepContext } from '../contract/step.ts';
import type { NoFacts } from './cluster-settings.ts';
import { paths } from './paths.ts';

/** Services with the files they are started from. */
export interface ConfiguredService {
  /** Names the mark of what was last applied: a file name. */
  readonly name: string;
  readonly files: readonly FileContent[];
  /** Files to be laid out on the way for another service, which starts later; ours does not read them. */
  readonly others?: readonly FileContent[];
  /** systemd units, in the order to start them. */
  readonly units: readonly string[];
  /** Whether the units must run now; the kubelet is only enabled until kubeadm has configured it. */
  readonly mustRun: boolean;
  /** The units read other files while they run, without a break. */
  readonly isReloadable?: boolean;
}

/**
 * The mark is written after the restart, so a crash between the files and the restart is seen: the files are new, the
 * mark is not, and the service still runs with the old ones.
 */
function markOf({ name, files }: ConfiguredService): FileContent {
  const hash = createHash('sha256').update(JSON.stringify(files.map(({ path, content }) => [path, content])));
  return { path: `${paths.applied}/${name}`, content: `${hash.digest('hex')}\n`, mode: 0o600 };
}

/** Every file that the service is answerable for, its mark last. */
const allOf = (service: ConfiguredService): FileContent[] => [
  ...service.files,
  ...(service.others ?? []),
  markOf(service),
];

/** Files as they should be, applied, and the units enabled and, where asked, running. */
export async function observeService(
  context: StepContext,
  machine: MachineRef,
  service: ConfiguredService,
): Promise<Observation<NoFacts>> {
  const [differing, states] = await Promise.all([
    context.file.differ(machine, allOf(service)),
    context.service.state(machine, service.units),
  ]);
  if (differing.length > 0) {
    const why = differing.map((file) => `${file.path} on ${machine.name}: ${file.why}`).join('; ');
    return { state: 'todo', why };
  }
  const wrong = states.find(({ enabled, active }) => !enabled || (service.mustRun && !active));
  if (wrong === undefined) return { state: 'done', facts: {} };
  return { state: 'broken', why: `${wrong.unit} on ${machine.name} is ${wrong.detail}` };
}

/** Writes the files that differ, starts the units, lets those that ran read other files, then leaves the mark. */
export async function applyService(
  context: StepContext,
  machine: MachineRef,
  service: ConfiguredService,
): Promise<void> {
  const mark = markOf(service);
  const [differing, states] = await Promise.all([
    context.file.differ(machine, allOf(service)),
    context.service.state(machine, service.units),
  ]);
  const differs = ({ path }: FileContent): boolean => differing.some((other) => other.path === path);
  const isOutdated = [...service.files, mark].some(differs);
  const lacking = [...service.files, ...(service.others ?? [])].filter(differs);
  if (lacking.length > 0) await context.file.write(machine, lacking);
  for (const unit of service.units) {
    const wasActive = states.some((state) => state.unit === unit && state.active);
    await context.service.start(machine, unit);
    if (!wasActive || !isOutdated) continue;
    if (service.isReloadable === true) await context.service.reload(machine, unit);
    else await context.service.restart(machine, unit);
  }
  if (isOutdated) await context.file.write(machine, [mark]);
}
