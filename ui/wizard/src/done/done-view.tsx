import { Button, Title } from '@patternfly/react-core';
import { CheckCircleIcon } from '@patternfly/react-icons';
import { Link } from 'wouter';
import type { OperationDetail } from '../../../../daemon/api/types.ts';
import { GetCredentials } from '../cluster/get-credentials.tsx';
import { durationText } from '../time/time.tsx';
import '../cluster/cluster.css';

const words = {
  title: (name: string) => `${name} is ready`,
  took: (duration: string, steps: number) => `Made in ${duration}, in ${steps} steps, each of them proven.`,
  credentials: 'Get in',
  next: 'What people do next',
  overview: 'Look at the cluster',
  overviewBody: 'Health, machines and everything that happens to it.',
  access: 'Let others in',
  accessBody: 'Give colleagues a role, and let them fetch credentials of their own.',
  again: 'Keep the answer file',
  againBody: 'It is the cluster: put it under version control, and apply it again to change or to grow.',
  run: 'Show how it was made',
} as const;

/** What one has at the end: a cluster, the way in, and what people do next. */
export function DoneView(props: {
  readonly operation: OperationDetail;
  readonly onShowRun: () => void;
}): React.JSX.Element {
  const { cluster, duration, steps } = props.operation;
  const base = `/clusters/${cluster.name}`;
  const links = [
    { href: base, title: words.overview, body: words.overviewBody },
    { href: `${base}/access`, title: words.access, body: words.accessBody },
    { href: `${base}/yaml`, title: words.again, body: words.againBody },
  ];
  return (
    <div className="remuda-done">
      <CheckCircleIcon className="remuda-done-sign" aria-hidden />
      <Title headingLevel="h2" size="2xl">
        {words.title(cluster.name)}
      </Title>
      <p className="remuda-create-intro">{words.took(durationText(duration), steps.total)}</p>
      <section aria-labelledby="get-in">
        <h3 id="get-in">{words.credentials}</h3>
        <GetCredentials cluster={cluster.name} />
      </section>
      <section aria-labelledby="next">
        <h3 id="next">{words.next}</h3>
        <ul className="remuda-next">
          {links.map(({ href, title, body }) => (
            <li key={href}>
              <Link href={href}>{title}</Link>
              <p className="remuda-subtle">{body}</p>
            </li>
          ))}
        </ul>
      </section>
      <Button variant="link" isInline onClick={props.onShowRun}>
        {words.run}
      </Button>
    </div>
  );
}
