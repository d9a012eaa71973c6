import { PageSection } from '@patternfly/react-core';
import { useEffect, useRef } from 'react';
import { useLocation } from 'wouter';
import { useClusters, usePayloads, useProviders } from '../api/queries.ts';
import { ProblemView } from '../problem/problem-view.tsx';
import { Loading } from '../shell/loading.tsx';
import { keepLocally } from './local-draft.ts';
import { freeName, newAnswerFile, versionsOnBoard } from './template.ts';

/** Begins a draft from what is known here, and goes to its first step. */
export function NewPage(): React.JSX.Element {
  const clusters = useClusters();
  const providers = useProviders();
  const payloads = usePayloads();
  const [, go] = useLocation();
  const hasBegun = useRef(false);
  const error = clusters.error ?? providers.error;
  const isReady = clusters.data !== undefined && providers.data !== undefined && !payloads.isPending;
  useEffect(() => {
    if (!isReady || hasBegun.current) return;
    hasBegun.current = true;
    const lab = providers.data.find(({ type }) => type === 'lab');
    const [version = ''] = versionsOnBoard(payloads.data ?? []);
    const text = newAnswerFile({
      cluster: freeName(new Set(clusters.data.map(({ name }) => name))),
      version,
      ...(lab === undefined ? {} : { provider: lab.name }),
    });
    const id = crypto.randomUUID();
    keepLocally(id, { text, step: 'supplies', revision: 0 });
    go(`/create/${id}/supplies`, { replace: true });
  }, [clusters.data, go, isReady, payloads.data, providers.data]);
  if (!error) return <Loading />;
  return (
    <PageSection isFilled>
      <ProblemView error={error} />
    </PageSection>
  );
}
