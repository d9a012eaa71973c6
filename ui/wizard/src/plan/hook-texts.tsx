import { hooksOf, type PlanHook } from './plan-hooks.ts';
import type { Plan } from './plan-tree.ts';

const words = {
  title: 'Your hooks, word for word',
  script: 'as root on the machine',
  job: 'as a Job in the cluster',
  webhook: 'a signed message',
  stops: 'the operation stops if it fails',
  goesOn: 'it goes on if it fails',
} as const;

const explained = ({ at, way, stops }: PlanHook): string =>
  [at, words[way], stops ? words.stops : words.goesOn].join(', ');

/** The text of every hook in a plan: whoever agrees to the plan agrees to what they do. */
export function HookTexts({ plan }: { readonly plan: Plan }): React.JSX.Element | undefined {
  const hooks = hooksOf(plan);
  if (hooks.length === 0) return undefined;
  return (
    <section aria-label={words.title} className="remuda-plan-hooks">
      <h4>{words.title}</h4>
      {hooks.map((hook) => (
        <div key={hook.name}>
          <p>
            <strong>{hook.name}</strong> {explained(hook)}
          </p>
          <pre tabIndex={0}>{hook.text}</pre>
        </div>
      ))}
    </section>
  );
}
