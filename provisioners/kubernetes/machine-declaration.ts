import { z } from 'zod';
import type { MachineRef } from '../contract/machine.ts';
import type { MachineDeclaration } from '../contract/preflight.ts';
import { Blocked } from '../contract/problem.ts';
import type { StepContext } from '../contract/step.ts';
import { paths } from './paths.ts';

const declarationSchema = z.object({
  cgroupDriver: z.enum(['systemd', 'cgroupfs']).exactOptional(),
  restrictOomScoreAdj: z.boolean().exactOptional(),
  conntrackUntouched: z.boolean().exactOptional(),
  ignorePreflightErrors: z.array(z.string()).exactOptional(),
});

/**
 * What the machine's image declares about its ground, read there at run time; an ordinary machine declares nothing.
 * @throws Blocked when the file is there and cannot be understood
 */
export async function declarationOf(
  context: Pick<StepContext, 'file'>,
  machine: MachineRef,
): Promise<MachineDeclaration> {
  const text = await context.file.read(machine, paths.declaration);
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
