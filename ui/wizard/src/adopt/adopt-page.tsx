import { Breadcrumb, BreadcrumbItem, Button, PageSection, Title } from '@patternfly/react-core';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'wouter';
import type { PlanAnswer } from '../../../../daemon/api/types.ts';
import { post } from '../api/http.ts';
import { ProblemView } from '../problem/problem-view.tsx';
import { Permitted } from '../session/permitted.tsx';
import { useHasRole } from '../session/session.ts';
import { Loading } from '../shell/loading.tsx';
import { AdoptAgreement } from './adopt-agreement.tsx';
import { AdoptForm } from './adopt-form.tsx';
import { adoptTexts as words } from './adopt-texts.ts';
import { type Adoption, emptyAdoption, isComplete, requestOf } from './adoption.ts';
import './adopt.css';

/** Takes a cluster in that runs already: what is said of it, what that does, and the consent. */
export function AdoptPage(): React.JSX.Element {
  return (
    <PageSection isWidthLimited isFilled aria-label={words.title}>
      <Breadcrumb>
        <BreadcrumbItem>
          <Link href="/clusters">Clusters</Link>
        </BreadcrumbItem>
        <BreadcrumbItem isActive>{words.breadcrumb}</BreadcrumbItem>
      </Breadcrumb>
      <div className="remuda-page-head">
        <Title headingLevel="h1">{words.title}</Title>
      </div>
      <p className="remuda-subtle">{words.what}</p>
      <Adopting />
    </PageSection>
  );
}

function Adopting(): React.JSX.Element {
  const [adoption, setAdoption] = useState<Adoption>(emptyAdoption);
  const mayAdopt = useHasRole('admin');
  // No query: what is asked holds a key, and stays in no cache.
  const plan = useMutation({
    mutationFn: (asked: Adoption) => post<PlanAnswer>('/api/v1/adoption-plans', requestOf(asked)),
  });
  return (
    <div className="remuda-adopt">
      <AdoptForm
        adoption={adoption}
        onChange={(change) => {
          setAdoption((now) => ({ ...now, ...change }));
          // What was said of another wish is said of this one by nobody.
          plan.reset();
        }}
      />
      <div className="remuda-buttons">
        <Permitted isAllowed={mayAdopt} needed="admin">
          <Button
            variant={plan.isIdle ? 'primary' : 'secondary'}
            isDisabled={!mayAdopt || !isComplete(adoption) || plan.isPending}
            onClick={() => plan.mutate(adoption)}
          >
            {plan.isIdle ? words.look : words.lookAgain}
          </Button>
        </Permitted>
        <Link className="pf-v6-c-button pf-m-link" href="/clusters">
          {words.back}
        </Link>
      </div>
      <div aria-live="polite" className="remuda-adopt">
        {plan.isPending ? (
          <>
            <p>{words.looking}</p>
            <Loading />
          </>
        ) : undefined}
        <ProblemView error={plan.error} />
        {plan.data === undefined ? undefined : (
          <AdoptAgreement key={plan.data.hash} adoption={adoption} answer={plan.data} />
        )}
      </div>
    </div>
  );
}
