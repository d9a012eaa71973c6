import { Link } from 'wouter';
import { AuthoritiesState } from './authorities-state.tsx';
import { rotationTexts as words } from './rotation-texts.ts';
import type { Rotation } from './stages.ts';
import './rotation.css';

/** Whom the cluster believes, and the way to where that is changed. */
export function AuthoritiesPanel(props: {
  readonly cluster: string;
  readonly rotation: Rotation;
}): React.JSX.Element {
  const { cluster, rotation } = props;
  const isUnderWay = rotation.stage !== undefined || rotation.next !== 'trust';
  return (
    <section className="remuda-authorities" aria-labelledby="remuda-authorities-title">
      <div>
        <h2 id="remuda-authorities-title">{words.panel.title}</h2>
        <p>
          <AuthoritiesState rotation={rotation} /> {rotation.isFinished ? '' : words.panel.unfinished}
        </p>
      </div>
      <Link
        className="pf-v6-c-button pf-m-secondary"
        href={`/clusters/${encodeURIComponent(cluster)}/rotation`}
      >
        {isUnderWay ? words.panel.open.under : words.panel.open.none}
      </Link>
    </section>
  );
}
