import type { Ports } from '../../provisioners/contract/ports.ts';
import { reportOf } from '../../provisioners/contract/problem.ts';
import type { Observation } from '../../provisioners/contract/step.ts';
import type { Json } from '../../provisioners/contract/json.ts';
import { type CheckGround, lookingContext } from './checking.ts';
import type { DriftLook, PreflightStep } from './protocol/questions.ts';
import { readOnly } from './read-only.ts';
import { Snapshots } from './snapshots.ts';

/** Looks at the same time: each is a question or two to one machine. */
const atOnce = 12;

/**
 * One look at each step, some side by side, sharing what they read of the cluster. The ports refuse whatever would
 * change something, so that no mistake in a step's observe can.
 */
export async function lookForDrift(
  ground: CheckGround,
  asked: readonly PreflightStep[],
): Promise<readonly DriftLook[]> {
  const shared = new Snapshots(ground.clock);
  const ports: Ports = readOnly(shared.share(ground.ports, ground.cluster.uid, () => false));
  const found: DriftLook[] = [];
  const queue = [...asked];
  const work = async (): Promise<void> => {
    for (let step = queue.shift(); step !== undefined; step = queue.shift())
      found.push(await lookAt({ ...ground, ports }, step));
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return found;
}

async function lookAt(ground: CheckGround, asked: PreflightStep): Promise<DriftLook> {
  const { id, kind, version, input } = asked;
  const step = ground.steps.get(kind);
  if (step === undefined || step.nature === 'act' || version > step.version)
    return {
      step: id,
      state: 'unknown',
      differences: [`This agent does not know ${kind} version ${version}.`],
    };
  try {
    return {
      step: id,
      ...readLook(await step.observe(lookingContext(ground, id), step.schema.parse(input))),
    };
  } catch (error) {
    // Unknown stays unknown: whoever does not answer is neither as asked nor different.
    return { step: id, state: 'unknown', differences: [reportOf(error, `drift/${id}`).summary] };
  }
}

function readLook(seen: Observation<Json>): Pick<DriftLook, 'state' | 'differences'> {
  switch (seen.state) {
    case 'done':
      return { state: 'as-asked', differences: [] };
    case 'pending':
      return { state: 'unsettled', differences: [`waits for ${seen.what}: ${seen.lastSeen ?? 'not yet'}`] };
    default:
      return { state: 'different', differences: seen.why.split('; ') };
  }
}
