import type { AnyStep } from '../../provisioners/contract/step.ts';

/** What the auditor calls when a step's verbs are used as they must not be. */
export type Accuse = (kind: string, detail: string) => void;

/**
 * The steps with an auditor between them and the runner: `apply` is allowed only right after an `observe` of the same
 * attempt that said todo or broken. Applying on pending, done, blocked or unknown is recorded as a violation.
 */
export function audited(steps: readonly AnyStep[], accuse: Accuse): AnyStep[] {
  const lastSeen = new Map<string, string>();
  return steps.map((step) => ({
    ...step,
    observe: async (context, input) => {
      const key = `${context.operation} ${context.step} ${context.attempt}`;
      lastSeen.set(key, 'unknown');
      const seen = await step.observe(context, input);
      lastSeen.set(key, seen.state);
      return seen;
    },
    apply: async (context, input) => {
      const seen = lastSeen.get(`${context.operation} ${context.step} ${context.attempt}`) ?? 'unknown';
      if (seen !== 'todo' && seen !== 'broken')
        accuse(`applied-on-${seen}`, `${context.step}#${context.attempt}`);
      lastSeen.set(`${context.operation} ${context.step} ${context.attempt}`, 'applied');
      await step.apply(context, input);
    },
  }));
}
