import { Alert, Label } from '@patternfly/react-core';
import { InfoCircleIcon } from '@patternfly/react-icons';
import { HookTexts } from './hook-texts.tsx';
import { type Plan, type PlanLine, planTree } from './plan-tree.ts';
import './plan.css';

const words = {
  unchanged: 'Nothing to do: everything is as the file says.',
  creates: 'Makes',
  changes: 'Changes',
  destroys: 'Destroys',
  steps: (count: number) => `${count} ${count === 1 ? 'step' : 'steps'}`,
  destructive: 'destroys',
  afterwards: 'then',
} as const;

/** What a plan changes, and its steps as a tree: phases, what is done in them, and on which machines side by side. */
export function PlanView(props: { readonly plan: Plan; readonly isUnchanged?: boolean }): React.JSX.Element {
  const { plan } = props;
  if (props.isUnchanged)
    return <Alert component="p" isInline isPlain variant="success" title={words.unchanged} />;
  return (
    <div className="remuda-plan">
      <h3 className="remuda-plan-title">
        {plan.cluster.name} · {words.steps(plan.steps.length)}
      </h3>
      <Changes plan={plan} />
      {plan.notices.map((notice) => (
        <p key={notice} className="remuda-plan-notice">
          <InfoCircleIcon aria-hidden />
          <span>{notice}</span>
        </p>
      ))}
      <ol className="remuda-plan-phases">
        {planTree(plan).map(({ phase, steps, lines }) => (
          <li key={phase}>
            <details open>
              <summary>
                <span className="remuda-plan-phase">{phaseName(phase)}</span>
                <span className="remuda-plan-count">{words.steps(steps)}</span>
              </summary>
              <ol className="remuda-plan-lines">
                {lines.map((line) => (
                  <li key={`${line.kind} ${line.title}`}>
                    <Line line={line} />
                  </li>
                ))}
              </ol>
            </details>
          </li>
        ))}
      </ol>
      <HookTexts plan={plan} />
    </div>
  );
}

const phaseName = (phase: string): string => {
  const text = phase.replaceAll('-', ' ');
  return text.charAt(0).toUpperCase() + text.slice(1);
};

function Line({ line }: { readonly line: PlanLine }): React.JSX.Element {
  return (
    <>
      <span>{line.title}</span>
      {line.isDestructive ? (
        <Label color="red" isCompact>
          {words.destructive}
        </Label>
      ) : undefined}
      {line.layers.length === 0 ? undefined : (
        <span className="remuda-plan-machines">
          {line.layers.map((names, place) => (
            <span key={names.join(' ')}>
              {place > 0 ? `${words.afterwards} ` : ''}
              {names.length > 8
                ? `${names.slice(0, 3).join(', ')}, … ${names.at(-1)} (${names.length})`
                : names.join(', ')}
            </span>
          ))}
        </span>
      )}
    </>
  );
}

const titles = { create: words.creates, change: words.changes, destroy: words.destroys } as const;

function Changes({ plan }: { readonly plan: Plan }): React.JSX.Element | undefined {
  if (plan.changes.length === 0) return undefined;
  return (
    <dl className="remuda-plan-changes">
      {(['create', 'change', 'destroy'] as const).map((action) => {
        const changes = plan.changes.filter((change) => change.action === action);
        if (changes.length === 0) return undefined;
        return (
          <div key={action} className={`remuda-plan-${action}`}>
            <dt>{titles[action]}</dt>
            <dd>
              <ul>
                {changes.map(({ subject, detail }) => (
                  <li key={`${subject} ${detail}`}>
                    <strong>{subject}</strong> {detail}
                  </li>
                ))}
              </ul>
            </dd>
          </div>
        );
      })}
    </dl>
  );
}
