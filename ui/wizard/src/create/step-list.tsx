import { CheckCircleIcon, ExclamationCircleIcon } from '@patternfly/react-icons';
import { texts } from './texts.ts';
import { type DraftStep, draftSteps } from './steps.ts';

/** How far a step has come. */
export type StepState = 'ahead' | 'present' | 'passed' | 'failing';

const words: Readonly<Record<StepState, string>> = {
  ahead: '',
  present: '',
  passed: 'done',
  failing: 'needs attention',
};

/** The steps in order, with how they stand; those that were reached can be gone to. */
export function StepList(props: {
  readonly stateOf: (step: DraftStep | 'run' | 'done') => StepState;
  readonly present: DraftStep | 'run' | 'done';
  /** Absent = nothing can be gone to any more. */
  readonly onGo?: (step: DraftStep) => void;
}): React.JSX.Element {
  const steps = [...draftSteps, 'run', 'done'] as const;
  return (
    <nav aria-label="Steps" className="remuda-stages">
      <ol>
        {steps.map((step, place) => {
          const state = props.stateOf(step);
          const isPresent = step === props.present;
          const name = step === 'run' || step === 'done' ? texts[step].name : texts.steps[step].name;
          return (
            <li key={step} className={`remuda-stage remuda-stage-${state}`}>
              <button
                type="button"
                disabled={!isPresent && (state === 'ahead' || props.onGo === undefined)}
                {...(isPresent ? { 'aria-current': 'step' as const } : {})}
                onClick={() => {
                  if (step !== 'run' && step !== 'done') props.onGo?.(step);
                }}
              >
                <span className="remuda-stage-mark" aria-hidden="true">
                  <StepMark state={state} place={place} />
                </span>
                <span>{name}</span>
                {words[state] === '' ? undefined : (
                  <span className="pf-v6-screen-reader"> ({words[state]})</span>
                )}
              </button>
            </li>
          );
        })}
      </ol>
    </nav>
  );
}

function StepMark({
  state,
  place,
}: {
  readonly state: StepState;
  readonly place: number;
}): React.JSX.Element {
  if (state === 'passed') return <CheckCircleIcon />;
  if (state === 'failing') return <ExclamationCircleIcon />;
  return <>{place + 1}</>;
}
