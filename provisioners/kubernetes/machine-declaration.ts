import { z } from 'zod';
import type { MachineRef } from '../contract/machine.ts';
import type { MachineDeclaration } from '../contract/preflight.ts';
import type { FilePort } from '../contract/ports/file.ts';
import { Blocked } from '../contract/problem.ts';
import type { StepContext } from '../contract/step.ts';
import { paths } from './paths.ts';

const declarationSchema = z.object({
  cgroupDriver: z.enum(['systemd', 'cgroupfs']).exactOptional(),
  restrictOomScoreAdj: z.boolean().exactOptional(),
  conntrackUntouched: z.boolean().exactOptional(),
  ignorePreflightErrors: z.array(z.string()).exactOptional(),
});

/** Read once an attempt: an image's declaration does not change while a machine runs. */
const read = new WeakMap<FilePort, Map<string, Promise<MachineDeclaration>>>();

/**
 * What the machine's image declares about its ground, read there at run time; an ordinary machine declares nothing.
 * @throws Blocked when the file is there and cannot be understood
 */
export function declarationOf(
  { file }: Pick<StepContext, 'file'>,
  machine: MachineRef,
): Promise<MachineDeclaration> {
  const known = read.get(file) ?? new Map<string, Promise<MachineDeclaration>>();
  read.set(file, known);
  const found = known.get(machine.name) ?? readDeclaration(file, machine);
  known.set(machine.name, found);
  // Not read is not "declares nothing": it is asked again.
  found.catch(() => known.delete(machine.name));
  return found;
}

async function readDeclaration(file: FilePort, machine: MachineRef): Promise<MachineDeclaration> {
  const text = await file.read(machine, paths.declaration);
  if (text === undefined) return {};
  try {
    return declarationSchema.parse(JSON.parse(text));
  } catch {
    throw new Blocked('MACHINE-002', `${paths.declaration} on ${machine.name} is not a machine declaration`, {
      machine: machine.name,
      remedy: `Mend or remove ${paths.declaration} there; a Remuda image writes it itself.`,
    });
  }
}
