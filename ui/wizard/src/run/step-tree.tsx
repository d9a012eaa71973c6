import { useState } from 'react';
import type { StepView } from '../../../../daemon/api/types.ts';
import { durationText } from '../time/time.tsx';
import { Glyph, standingWords } from './glyph.tsx';
import { type Standing, shortTitle, standingOf, standingOfAll } from './machines.ts';
import type { RunPhase, StepGroup } from './phases.ts';
import { StepDetail } from './step-detail.tsx';

/** Members of a group that are drawn one by one before somebody asks for all. */
const mostDots = 12;
const mostRows = 100;

/** What the tree is drawn with. */
export interface StepTreeProps {
  readonly phases: readonly RunPhase[];
  readonly now: number;
  /** Phases that the person opened or closed by hand. */
  readonly toggled: Readonly<Record<string, boolean>>;
  readonly onToggle: (phase: string, isOpen: boolean) => void;
  /** Id of the step whose lines the log shows; '' = of all. */
  readonly selected: string;
  readonly onSelect: (step: string) => void;
}

/** All steps by phase. What runs, waits or failed is open by itself; a click on a step shows its lines. */
export function StepTree(props: StepTreeProps): React.JSX.Element {
  return (
    <ol className="remuda-phases">
      {props.phases.map((phase) => (
        <Phase key={phase.name} phase={phase} {...props} />
      ))}
    </ol>
  );
}

const isOpenByItself = ({ standing, began, ended }: RunPhase): boolean =>
  standing === 'failed' || standing === 'cancelled' || (began !== undefined && ended === undefined);

function Phase(props: StepTreeProps & { readonly phase: RunPhase }): React.JSX.Element {
  const { phase, toggled, onToggle, now } = props;
  const isOpen = toggled[phase.name] ?? isOpenByItself(phase);
  const id = `remuda-phase-${phase.name.replaceAll(' ', '-')}`;
  return (
    <li className="remuda-phase">
      <h3 className="remuda-phase-head">
        <button
          type="button"
          aria-expanded={isOpen}
          aria-controls={id}
          onClick={() => onToggle(phase.name, !isOpen)}
        >
          <Chevron isOpen={isOpen} />
          <Glyph standing={phase.standing} />
          <span className="remuda-phase-name">{titled(phase.name)}</span>
          <span className="pf-v6-screen-reader">{standingWords[phase.standing]},</span>
          <span className="remuda-count">
            {phase.done} of {phase.total}
          </span>
          <span className="remuda-duration">{phaseDuration(phase, now)}</span>
        </button>
      </h3>
      <ul id={id} className="remuda-groups" hidden={!isOpen}>
        {isOpen
          ? phase.groups.map((group) => <Group key={group.kind} group={group} {...props} />)
          : undefined}
      </ul>
    </li>
  );
}

function Group(props: StepTreeProps & { readonly group: StepGroup }): React.JSX.Element {
  const { group, now } = props;
  const [isOpen, setIsOpen] = useState(false);
  const [areAll, setAreAll] = useState(false);
  const [first] = group.steps;
  if (first === undefined) return <li />;
  if (group.steps.length === 1) return <Step step={first} isNamed {...props} />;
  const standing = standingOfAll(group.steps);
  const done = group.steps.filter((step) => standingOf(step) === 'done').length;
  const members = isOpen ? group.steps : group.steps.filter(isTelling);
  const rows = areAll ? members : members.slice(0, mostRows);
  return (
    <li className="remuda-step-group">
      <button type="button" className="remuda-row" aria-expanded={isOpen} onClick={() => setIsOpen(!isOpen)}>
        <Chevron isOpen={isOpen} />
        <Glyph standing={standing} />
        <span className="remuda-row-title">{shortTitle(first)}</span>
        <span className="pf-v6-screen-reader">{standingWords[standing]},</span>
        <Members steps={group.steps} done={done} />
        <span className="remuda-duration">{groupDuration(group.steps, now)}</span>
      </button>
      {rows.length === 0 ? undefined : (
        <ul className="remuda-members">
          {rows.map((step) => (
            <Step key={step.id} step={step} {...props} />
          ))}
          {members.length > rows.length ? (
            <li>
              <button type="button" className="remuda-more" onClick={() => setAreAll(true)}>
                Show {members.length - rows.length} more
              </button>
            </li>
          ) : undefined}
        </ul>
      )}
    </li>
  );
}

/** A small shape a machine, or a count when they are too many to see one by one. */
function Members(props: { readonly steps: readonly StepView[]; readonly done: number }): React.JSX.Element {
  const { steps, done } = props;
  const count = `${done} of ${steps.length}`;
  if (steps.length > mostDots) return <span className="remuda-count">{count}</span>;
  return (
    <>
      <span className="remuda-dots" aria-hidden="true">
        {steps.map((step) => (
          <span key={step.id} title={`${step.subject}: ${standingWords[standingOf(step)]}`}>
            <Glyph standing={standingOf(step)} />
          </span>
        ))}
      </span>
      <span className="pf-v6-screen-reader">{count}</span>
    </>
  );
}

function Step(
  props: StepTreeProps & { readonly step: StepView; readonly isNamed?: boolean },
): React.JSX.Element {
  const { step, isNamed = false, now, selected, onSelect } = props;
  const standing = standingOf(step);
  const isSelected = selected === step.id;
  return (
    <li className="remuda-step">
      <button
        type="button"
        className={isNamed ? 'remuda-row remuda-row-single' : 'remuda-row remuda-row-member'}
        aria-pressed={isSelected}
        title={isSelected ? 'Show the log of all steps' : 'Show the log of this step'}
        onClick={() => onSelect(isSelected ? '' : step.id)}
      >
        <Glyph standing={standing} />
        <span className="remuda-row-title">{isNamed ? shortTitle(step) : step.subject}</span>
        <span className="pf-v6-screen-reader">{standingWords[standing]}</span>
        {isNamed && step.subject !== 'cluster' ? (
          <span className="remuda-subject">{step.subject}</span>
        ) : undefined}
        <span className="remuda-duration">{stepDuration(step, now)}</span>
      </button>
      {isTelling(step) ? <StepDetail step={step} now={now} /> : undefined}
    </li>
  );
}

/** Whether a step has something to say beyond its standing. */
function isTelling(step: StepView): boolean {
  const standing: Standing = standingOf(step);
  return standing === 'failed' || standing === 'waiting' || standing === 'running';
}

function Chevron({ isOpen }: { readonly isOpen: boolean }): React.JSX.Element {
  return (
    <svg
      className={isOpen ? 'remuda-chevron remuda-chevron-open' : 'remuda-chevron'}
      viewBox="0 0 10 10"
      aria-hidden
    >
      <path d="M3 1 7 5 3 9" />
    </svg>
  );
}

const titled = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1);

function stepDuration({ startedAt, endedAt, state }: StepView, now: number): string {
  if (startedAt === undefined || state === 'planned') return '';
  const end = endedAt === undefined ? now : Date.parse(endedAt);
  return durationText(end - Date.parse(startedAt));
}

function phaseDuration({ began, ended }: RunPhase, now: number): string {
  return began === undefined ? '' : durationText((ended ?? now) - began);
}

function groupDuration(steps: readonly StepView[], now: number): string {
  let from = Infinity;
  let to = 0;
  for (const { startedAt, endedAt, state } of steps) {
    if (startedAt === undefined) continue;
    from = Math.min(from, Date.parse(startedAt));
    to = Math.max(to, endedAt === undefined || state === 'running' ? now : Date.parse(endedAt));
  }
  return from === Infinity ? '' : durationText(to - from);
}
