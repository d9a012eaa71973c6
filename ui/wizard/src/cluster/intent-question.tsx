import type { IntentRequest } from '../../../../daemon/api/types.ts';
import { AgreementQuestion } from './agreement-question.tsx';

/** Shows what an operation that is wanted once would do, and begins exactly that. */
export function IntentQuestion(props: {
  readonly cluster: string;
  readonly intent: IntentRequest['intent'];
  /** What the question says; the rest it reads from the plan. */
  readonly words: React.ComponentProps<typeof AgreementQuestion>['words'];
  readonly onClose: () => void;
}): React.JSX.Element {
  const { cluster, intent, words, onClose } = props;
  const path = `/api/v1/clusters/${encodeURIComponent(cluster)}`;
  return (
    <AgreementQuestion
      cluster={cluster}
      plan={`${path}/operation-plan`}
      begin={`${path}/operations`}
      body={{ intent }}
      words={words}
      onClose={onClose}
    />
  );
}
