import { Alert, Button, ClipboardCopy } from '@patternfly/react-core';
import { DownloadIcon, KeyIcon } from '@patternfly/react-icons';
import { useMutation } from '@tanstack/react-query';
import type { IssuedCredential } from '../../../../daemon/api/types.ts';
import { saveFile } from '../answer-file/save-file.ts';
import { post } from '../api/http.ts';
import { ProblemView } from '../problem/problem-view.tsx';
import { texts } from './texts.ts';

const { access: words } = texts;
/** Days a token for a program is good for, when nobody says otherwise. */
const tokenDays = 30;

/** Issues a credential and shows it, a secret only this once, with the line that uses it. */
export function GetCredentials(props: {
  readonly cluster: string;
  readonly onIssued?: () => void;
}): React.JSX.Element {
  const { cluster, onIssued } = props;
  const issue = useMutation({
    mutationFn: (kind: 'kubeconfig' | 'token') =>
      post<IssuedCredential>(`/api/v1/clusters/${encodeURIComponent(cluster)}/credentials`, {
        kind,
        ...(kind === 'token' ? { days: tokenDays } : {}),
      }),
    onSuccess: () => onIssued?.(),
  });
  return (
    <div className="remuda-get-credentials">
      <div className="remuda-buttons">
        <Button
          icon={<KeyIcon />}
          onClick={() => issue.mutate('kubeconfig')}
          isDisabled={issue.isPending}
          isLoading={issue.isPending}
        >
          {words.kubeconfig}
        </Button>
        <Button variant="secondary" onClick={() => issue.mutate('token')} isDisabled={issue.isPending}>
          {words.token}
        </Button>
      </div>
      <ProblemView error={issue.error} />
      {issue.data === undefined ? undefined : <Issued cluster={cluster} issued={issue.data} />}
    </div>
  );
}

function Issued(props: { readonly cluster: string; readonly issued: IssuedCredential }): React.JSX.Element {
  const { cluster, issued } = props;
  const file = `${cluster}.kubeconfig`;
  return (
    <Alert
      component="p"
      isInline
      variant="success"
      title={issued.token === undefined ? words.issued : words.shownOnce}
      aria-live="polite"
    >
      <div className="remuda-issued">
        <Button variant="secondary" icon={<DownloadIcon />} onClick={() => saveFile(file, issued.kubeconfig)}>
          {words.download}
        </Button>
        {issued.token === undefined ? (
          <p>{words.exec}</p>
        ) : (
          <ClipboardCopy isReadOnly hoverTip="Copy" clickTip="Copied" textAriaLabel={words.kinds.token}>
            {issued.token}
          </ClipboardCopy>
        )}
        <p>{words.next}</p>
        <ClipboardCopy isReadOnly isCode hoverTip="Copy" clickTip="Copied" textAriaLabel="Command">
          {`kubectl --kubeconfig ${file} get nodes`}
        </ClipboardCopy>
      </div>
    </Alert>
  );
}
