import { Breadcrumb, BreadcrumbItem, Label, PageSection, Title } from '@patternfly/react-core';
import { CheckCircleIcon } from '@patternfly/react-icons';
import { Link } from 'wouter';
import { useCertificates, useCluster } from '../api/queries.ts';
import { isUnderWay, Running } from '../clusters/running.tsx';
import { ProblemView } from '../problem/problem-view.tsx';
import { useHasRole } from '../session/session.ts';
import { Loading } from '../shell/loading.tsx';
import { AuthoritiesState } from './authorities-state.tsx';
import { rotationTexts as words } from './rotation-texts.ts';
import { StageAgreement } from './stage-agreement.tsx';
import { type Rotation, type Stage, stages, standingOf } from './stages.ts';
import './rotation.css';

/** Exchanges the authorities of a cluster: how far it is, what each stage does, and the way into the next one. */
export function RotationPage({ cluster }: { readonly cluster: string }): React.JSX.Element {
  const { data, error } = useCertificates(cluster);
  const home = `/clusters/${encodeURIComponent(cluster)}`;
  return (
    <PageSection isWidthLimited isFilled aria-label={words.title(cluster)}>
      <Breadcrumb>
        <BreadcrumbItem>
          <Link href="/clusters">Clusters</Link>
        </BreadcrumbItem>
        <BreadcrumbItem>
          <Link href={`${home}/certificates`}>{cluster}</Link>
        </BreadcrumbItem>
        <BreadcrumbItem isActive>{words.breadcrumb}</BreadcrumbItem>
      </Breadcrumb>
      <div className="remuda-page-head">
        <Title headingLevel="h1">{words.title(cluster)}</Title>
      </div>
      <div className="remuda-rotation">
        <p className="remuda-subtle">{words.what}</p>
        <ProblemView error={error} />
        {data === undefined && !error ? <Loading /> : undefined}
        {data === undefined ? undefined : <Stages cluster={cluster} rotation={data.rotation} />}
        <div>
          <Link className="pf-v6-c-button pf-m-link pf-m-inline" href={`${home}/certificates`}>
            {words.back}
          </Link>
        </div>
      </div>
    </PageSection>
  );
}

interface StagesProps {
  readonly cluster: string;
  readonly rotation: Rotation;
}

function Stages({ cluster, rotation }: StagesProps): React.JSX.Element {
  return (
    <>
      <p className="remuda-rotation-state">
        <AuthoritiesState rotation={rotation} />
      </p>
      <ol className="remuda-rotation-stages" aria-label={words.stages}>
        {stages.map((stage, place) => (
          <StageItem key={stage} stage={stage} place={place} rotation={rotation} />
        ))}
      </ol>
      <Next cluster={cluster} rotation={rotation} />
    </>
  );
}

const looks = {
  over: { status: 'success' },
  next: { color: 'blue' },
  unfinished: { status: 'warning' },
  later: { color: 'grey' },
} as const;

function StageItem(props: {
  readonly stage: Stage;
  readonly place: number;
  readonly rotation: Rotation;
}): React.JSX.Element {
  const { stage, place, rotation } = props;
  const standing = standingOf(stage, rotation);
  const isPresent = standing === 'next' || standing === 'unfinished';
  const people = words.people[stage];
  return (
    <li
      className={`remuda-rotation-stage remuda-rotation-${standing}`}
      {...(isPresent ? { 'aria-current': 'step' as const } : {})}
    >
      <span className="remuda-rotation-mark" aria-hidden="true">
        {standing === 'over' ? <CheckCircleIcon /> : place + 1}
      </span>
      <div className="remuda-rotation-about">
        <div className="remuda-rotation-head">
          <h2>{words.names[stage]}</h2>
          <span className="remuda-subtle">{words.commands[stage]}</span>
          <Label isCompact {...looks[standing]}>
            {words.standings[standing]}
          </Label>
        </div>
        <p>{words.changes[stage]}</p>
        {people === '' ? undefined : (
          <p>
            <strong>{words.peopleTitle}:</strong> {people}
          </p>
        )}
        {standing === 'later' ? (
          <p className="remuda-subtle">{words.waitsFor(words.names[rotation.next])}</p>
        ) : undefined}
      </div>
    </li>
  );
}

/** The stage that comes next: what holds it, what it would do, and the way into it. */
function Next({ cluster, rotation }: StagesProps): React.JSX.Element {
  const { next, isFinished } = rotation;
  const { data } = useCluster(cluster);
  const maySee = useHasRole('viewer', cluster);
  const operation = data?.operation;
  const contents = (): React.JSX.Element => {
    if (!maySee) return <p>{words.needed}</p>;
    if (operation !== undefined && isUnderWay(operation))
      return (
        <div className="remuda-rotation-busy">
          {words.busy} <Running operation={operation} />
        </div>
      );
    return (
      <>
        {isFinished ? undefined : <p>{words.again}</p>}
        <StageAgreement key={next} cluster={cluster} stage={next} />
      </>
    );
  };
  return (
    <section className="remuda-rotation-agreement" aria-labelledby="remuda-rotation-next">
      <h2 id="remuda-rotation-next">{words.nextTitle(words.names[next])}</h2>
      {contents()}
    </section>
  );
}
