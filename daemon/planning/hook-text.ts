import { z } from 'zod';
import { hookShape } from '../../provisioners/contract/hooks.ts';
import type { PlannedStep } from '../../provisioners/contract/plan.ts';
import { hookKinds } from './hook-steps.ts';

const shownSchema = z.looseObject({
  ...hookShape,
  script: z.string().optional(),
  image: z.string().optional(),
  command: z.array(z.string()).optional(),
  namespace: z.string().optional(),
  url: z.string().optional(),
});
type Shown = z.infer<typeof shownSchema>;

/** The hook that a step of a plan runs; undefined where it is none. */
function hookIn({ kind, input }: PlannedStep): Shown | undefined {
  return hookKinds.has(kind) ? shownSchema.safeParse(input).data : undefined;
}

/** What steps of a kind are read together by: the same kind, and of hooks the same hook. */
export const lineKeyOf = (step: PlannedStep): string => {
  const hook = hookIn(step)?.occasion.hook;
  return hook === undefined ? step.kind : `${step.kind} ${hook}`;
};

function lengthOf(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  return seconds % 60 === 0 ? `${seconds / 60} min` : `${seconds} s`;
}

function textOf({ occasion, timeout, onFailure, script, image, command, namespace, url }: Shown): string[] {
  const end = onFailure === 'stop' ? 'the operation stops if it fails' : 'it goes on if it fails';
  const head = (where: string): string =>
    `   ${occasion.hook} (${occasion.at}, ${where}, at most ${lengthOf(timeout)}; ${end}):`;
  if (script !== undefined)
    return [
      head('as root on the machine'),
      ...script
        .trimEnd()
        .split('\n')
        .map((line) => `     | ${line}`),
    ];
  if (url !== undefined) return [head('a signed message'), `     | POST ${url}`];
  const words = (command ?? []).map((word) => JSON.stringify(word)).join(' ');
  return [head(`as a Job in ${namespace ?? 'default'}`), `     | ${image ?? ''}: ${words}`];
}

/** Every hook of a plan with its whole text, once each: whoever agrees to the plan agrees to what they do. */
export function hookTexts(steps: readonly PlannedStep[]): readonly string[] {
  const shown = new Map<string, Shown>();
  for (const step of steps) {
    const hook = hookIn(step);
    if (hook !== undefined) shown.set(hook.occasion.hook, hook);
  }
  return shown.size === 0 ? [] : ['', ' Your hooks, word for word:', ...[...shown.values()].flatMap(textOf)];
}
