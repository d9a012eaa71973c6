import { Button } from '@patternfly/react-core';
import { useState } from 'react';
import { Redirect, useLocation } from 'wouter';
import { YamlEditor } from '../editor/yaml-editor.tsx';
import { useHasRole, useSession } from '../session/session.ts';
import { Permitted } from '../session/permitted.tsx';
import { AnswerContext } from './answer.ts';
import { type OpenDraft, type StartingDraft, useOpenDraft } from './draft.ts';
import { DraftHead } from './draft-head.tsx';
import { Notices } from './notices.tsx';
import { StepContent } from './step-content.tsx';
import { StepList, type StepState } from './step-list.tsx';
import { type DraftStep, draftSteps, isDraftStep } from './steps.ts';
import { texts } from './texts.ts';
import { useApply } from './use-apply.ts';
import { useAnswerFile } from './use-answer-file.ts';
import { useValidation } from './validation.ts';

/** One draft: its steps on the left, the form of one of them, and its YAML when wanted. */
export function DraftView(props: {
  readonly id: string;
  readonly start: StartingDraft;
  readonly step: string;
}): React.JSX.Element {
  const { id, start, step } = props;
  if (!isDraftStep(step)) {
    const kept = isDraftStep(start.step) ? start.step : draftSteps[0];
    return <Redirect to={`/create/${id}/${kept}`} replace />;
  }
  return <DraftSteps id={id} start={start} step={step} />;
}

function DraftSteps(props: {
  readonly id: string;
  readonly start: StartingDraft;
  readonly step: DraftStep;
}): React.JSX.Element {
  const { id, step } = props;
  const { session } = useSession();
  const draft = useOpenDraft(id, props.start, step, session.principal.id);
  const validation = useValidation(draft.text);
  const reached = isDraftStep(props.start.step) ? draftSteps.indexOf(props.start.step) : 0;
  const forms = useAnswerFile(draft.text, draft.setText, validation.problems, draftSteps.slice(0, reached));
  const [isYamlShown, setYamlShown] = useState(false);
  const [bypass, setBypass] = useState<readonly string[]>([]);
  const [, go] = useLocation();
  const goTo = (next: DraftStep): void => go(`/create/${id}/${next}`);
  const leave = useLeaving({ step, draft, validation, forms, goTo });
  const stateOf = (each: DraftStep | 'run' | 'done'): StepState => {
    if (each === 'run' || each === 'done') return 'ahead';
    const isFailing = forms.revealed.has(each) && forms.problemsOf(each).length > 0;
    if (isFailing) return 'failing';
    if (each === step) return 'present';
    return forms.revealed.has(each) || draftSteps.indexOf(each) < draftSteps.indexOf(step)
      ? 'passed'
      : 'ahead';
  };
  const isYamlBeside = isYamlShown && step !== 'review';
  return (
    <AnswerContext.Provider value={forms.answer}>
      <div className="remuda-create">
        <DraftHead
          draft={draft}
          isYamlShown={isYamlShown}
          onToggleYaml={step === 'review' ? undefined : () => setYamlShown(!isYamlShown)}
        />
        <StepList stateOf={stateOf} present={step} onGo={leave.to} />
        <div className={isYamlBeside ? 'remuda-create-body remuda-with-yaml' : 'remuda-create-body'}>
          <div className="remuda-create-step">
            <Notices draft={draft} elsewhere={forms.elsewhere} checkError={validation.error} />
            <StepContent step={step} bypass={bypass} onBypass={setBypass} />
          </div>
          {isYamlBeside ? (
            <section className="remuda-create-yaml" aria-label="YAML">
              <YamlEditor
                text={draft.text}
                problems={validation.problems}
                label="Answer file"
                onChange={draft.setText}
              />
            </section>
          ) : undefined}
        </div>
        <Foot step={step} draft={draft} bypass={bypass} leave={leave} />
      </div>
    </AnswerContext.Provider>
  );
}

/** Going from a step: forward only when the daemon has nothing against what was filled in. */
interface Leaving {
  readonly isChecking: boolean;
  to(step: DraftStep): void;
  next(): void;
}

function useLeaving(facts: {
  readonly step: DraftStep;
  readonly draft: OpenDraft;
  readonly validation: ReturnType<typeof useValidation>;
  readonly forms: ReturnType<typeof useAnswerFile>;
  readonly goTo: (step: DraftStep) => void;
}): Leaving {
  const { step, draft, validation, forms, goTo } = facts;
  const [isChecking, setChecking] = useState(false);
  const here = draftSteps.indexOf(step);
  const forward = async (wish: number): Promise<void> => {
    setChecking(true);
    try {
      const problems = await validation.check(draft.text);
      const between = draftSteps.slice(0, wish);
      for (const each of between) forms.reveal(each);
      // The first step with a problem is where one goes, however far one wanted.
      const failing = between.find((each) => forms.problemsOf(each, problems).length > 0);
      const target = failing ?? draftSteps[wish];
      if (target !== undefined && target !== step) goTo(target);
    } catch {
      // Why the daemon could not be asked is shown above the form.
    } finally {
      setChecking(false);
    }
  };
  return {
    isChecking,
    to(wanted) {
      forms.reveal(step);
      const place = draftSteps.indexOf(wanted);
      if (place <= here) goTo(wanted);
      else void forward(place);
    },
    next: () => void forward(here + 1),
  };
}

function Foot(props: {
  readonly step: DraftStep;
  readonly draft: OpenDraft;
  readonly bypass: readonly string[];
  readonly leave: Leaving;
}): React.JSX.Element {
  const { step, draft, bypass, leave } = props;
  const before = draftSteps[draftSteps.indexOf(step) - 1];
  return (
    <footer className="remuda-create-foot">
      {before === undefined ? undefined : (
        <Button variant="secondary" onClick={() => leave.to(before)}>
          {texts.back}
        </Button>
      )}
      {step === 'review' ? (
        <ApplyButton draft={draft} bypass={bypass} />
      ) : (
        <Button onClick={leave.next} isLoading={leave.isChecking} isDisabled={leave.isChecking}>
          {leave.isChecking ? texts.checking : texts.next}
        </Button>
      )}
    </footer>
  );
}

function ApplyButton(props: {
  readonly draft: OpenDraft;
  readonly bypass: readonly string[];
}): React.JSX.Element {
  const { apply, isReady, isApplying, problem } = useApply(props.draft, props.bypass);
  const mayApply = useHasRole('operator');
  return (
    <div className="remuda-apply">
      {problem}
      <Permitted isAllowed={mayApply} needed="operator">
        <Button onClick={apply} isDisabled={!isReady || !mayApply || isApplying} isLoading={isApplying}>
          Make the cluster
        </Button>
      </Permitted>
    </div>
  );
}
