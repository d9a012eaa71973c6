import type { Plan } from './plan-tree.ts';

/** A hook of a plan, as whoever agrees to it has to read it. */
export interface PlanHook {
  readonly name: string;
  /** `beforeDrain`. */
  readonly at: string;
  readonly way: 'script' | 'job' | 'webhook';
  /** The whole text of the script; image and command of a Job; the address of a webhook. */
  readonly text: string;
  readonly stops: boolean;
}

type Input = Readonly<Record<string, unknown>>;

const isInput = (value: unknown): value is Input => typeof value === 'object' && value !== null;

const textIn = (input: Input, name: string): string => {
  const value = input[name];
  return typeof value === 'string' ? value : '';
};

function wayOf(input: Input): Pick<PlanHook, 'way' | 'text'> {
  if ('script' in input) return { way: 'script', text: textIn(input, 'script') };
  if ('url' in input) return { way: 'webhook', text: `POST ${textIn(input, 'url')}` };
  const { command } = input;
  const words = Array.isArray(command) ? command.map((word) => JSON.stringify(word)).join(' ') : '';
  return { way: 'job', text: `${textIn(input, 'image')}: ${words}` };
}

/** Every hook of a plan, once, however many machines it runs on. */
export function hooksOf({ steps }: Pick<Plan, 'steps'>): readonly PlanHook[] {
  const found = new Map<string, PlanHook>();
  for (const { kind, input } of steps) {
    if (!kind.startsWith('hook.') || !isInput(input) || !isInput(input['occasion'])) continue;
    const name = textIn(input['occasion'], 'hook');
    const at = textIn(input['occasion'], 'at');
    found.set(name, { name, at, stops: input['onFailure'] === 'stop', ...wayOf(input) });
  }
  return [...found.values()];
}
