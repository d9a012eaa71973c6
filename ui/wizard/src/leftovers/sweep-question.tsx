import type { Stray } from '../../../../daemon/api/types.ts';
import { AgreementQuestion } from '../cluster/agreement-question.tsx';
import { leftoverTexts } from './leftover-texts.ts';

const words = leftoverTexts.question;

/** Shows what a sweep would destroy, and begins exactly that when somebody has typed the cluster's name. */
export function SweepQuestion(props: {
  readonly stray: Stray;
  readonly onClose: () => void;
}): React.JSX.Element {
  const { name, uid, provider } = props.stray;
  const path = `/api/v1/strays/${encodeURIComponent(uid)}`;
  return (
    <AgreementQuestion
      cluster={name}
      plan={`${path}/sweep-plan`}
      begin={`${path}/sweep`}
      body={{}}
      words={{
        title: words.title(name, provider),
        intro: words.body,
        action: words.action,
        nothing: words.nothing,
      }}
      onClose={props.onClose}
    />
  );
}
