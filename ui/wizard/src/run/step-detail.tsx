import type { StepView } from '../../../../daemon/api/types.ts';
import { durationText, Time } from '../time/time.tsx';

/** What a step has to say: what it waits for, how far it is, or why it failed. */
export function StepDetail(props: {
  readonly step: StepView;
  readonly now: number;
}): React.JSX.Element | undefined {
  const { step, now } = props;
  if (step.state === 'failed')
    return step.problem === undefined ? undefined : (
      <p className="remuda-step-detail remuda-failure">{step.problem.summary}</p>
    );
  if (step.waiting !== undefined) return <Wait waiting={step.waiting} now={now} />;
  if (step.progress !== undefined) return <Progress progress={step.progress} />;
  return undefined;
}

/** The wait in one breath: for what, what was last seen, since when, and whether that is long. */
function Wait(props: {
  readonly waiting: NonNullable<StepView['waiting']>;
  readonly now: number;
}): React.JSX.Element {
  const { what, lastSeen, since, usually, youCould } = props.waiting;
  const lasts = props.now - Date.parse(since);
  const isLong = usually > 0 && lasts > usually;
  return (
    <div
      className={
        isLong ? 'remuda-step-detail remuda-wait remuda-wait-long' : 'remuda-step-detail remuda-wait'
      }
    >
      <p>
        Waits for <strong>{what}</strong>
        {lastSeen === '' ? undefined : (
          <>
            ; last saw: <span className="remuda-seen">{lastSeen}</span>
          </>
        )}
      </p>
      <p className="remuda-quiet">
        Since <Time at={since} form="clock" /> ({durationText(lasts)}),{' '}
        {usually > 0 ? `usually ${durationText(usually)}` : 'no usual time known'}
        {isLong ? ' – longer than usual' : ''}
      </p>
      {youCould === undefined ? undefined : <p>You could: {youCould}</p>}
    </div>
  );
}

function Progress(props: { readonly progress: NonNullable<StepView['progress']> }): React.JSX.Element {
  const { done, total, what } = props.progress;
  return (
    <div className="remuda-step-detail">
      <p className="remuda-quiet">
        {what}: {done.toLocaleString('en')} of {total.toLocaleString('en')}
      </p>
      <progress value={done} max={Math.max(1, total)} aria-label={what} />
    </div>
  );
}
