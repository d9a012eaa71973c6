import { Alert, Title } from '@patternfly/react-core';
import { useEffect, useRef } from 'react';
import { useAnswer } from './answer.ts';
import type { DraftStep } from './steps.ts';
import { ClusterStep } from './steps/cluster-step.tsx';
import { HooksStep } from './steps/hooks-step.tsx';
import { MachinesStep } from './steps/machines-step.tsx';
import { NetworkStep } from './steps/network-step.tsx';
import { PreflightStep } from './steps/preflight-step.tsx';
import { ProviderStep } from './steps/provider-step.tsx';
import { ReviewStep } from './steps/review-step.tsx';
import { SuppliesStep } from './steps/supplies-step.tsx';
import { texts } from './texts.ts';

interface StepContentProps {
  readonly step: DraftStep;
  readonly bypass: readonly string[];
  readonly onBypass: (checks: readonly string[]) => void;
}

/** Heading and form of a step. On arrival the heading has the focus: keyboard and screen reader begin at the top. */
export function StepContent(props: StepContentProps): React.JSX.Element {
  const { step } = props;
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    heading.current?.focus();
    heading.current?.scrollIntoView({ block: 'end' });
  }, [step]);
  const { title, intro } = texts.steps[step];
  return (
    <>
      <Title headingLevel="h2" size="xl" ref={heading} tabIndex={-1} className="remuda-create-title">
        {title}
      </Title>
      <p className="remuda-create-intro">{intro}</p>
      <StepForm {...props} />
    </>
  );
}

/** Steps whose forms write into the cluster's document. */
const withForms: ReadonlySet<DraftStep> = new Set(['provider', 'cluster', 'machines', 'network', 'hooks']);

function StepForm({ step, bypass, onBypass }: StepContentProps): React.JSX.Element {
  const { file, documentOf } = useAnswer();
  const needsForm = withForms.has(step);
  if (needsForm && file.isUnreadable)
    return <Alert component="p" isInline variant="warning" title={texts.unreadable} />;
  if (needsForm && documentOf('Cluster') === undefined)
    return <Alert component="p" isInline variant="warning" title={texts.noDocument} />;
  const forms: Readonly<Record<DraftStep, () => React.JSX.Element>> = {
    supplies: () => <SuppliesStep />,
    provider: () => <ProviderStep />,
    cluster: () => <ClusterStep />,
    machines: () => <MachinesStep />,
    network: () => <NetworkStep />,
    hooks: () => <HooksStep />,
    preflight: () => <PreflightStep bypass={bypass} onBypass={onBypass} />,
    review: () => <ReviewStep />,
  };
  return forms[step]();
}
