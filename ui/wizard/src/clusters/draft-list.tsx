import { useQuery } from '@tanstack/react-query';
import { Link } from 'wouter';
import type { DraftView } from '../../../../daemon/api/types.ts';
import { get } from '../api/http.ts';
import { useHasRole } from '../session/session.ts';
import { Time } from '../time/time.tsx';
import { texts } from './texts.ts';

/** Drafts that one began or that others share. Nothing when there are none. */
export function DraftList(): React.JSX.Element | undefined {
  const mayPlan = useHasRole('viewer');
  const { data = [] } = useQuery({
    queryKey: ['drafts', 'list'],
    queryFn: async ({ signal }) =>
      (await get<{ readonly items: readonly DraftView[] }>('/api/v1/drafts', { signal, isBackground: true }))
        .items,
    enabled: mayPlan,
  });
  if (data.length === 0) return undefined;
  return (
    <section className="remuda-drafts" aria-labelledby="drafts">
      <h2 id="drafts">{texts.drafts}</h2>
      <ul>
        {data.map((draft) => (
          <li key={draft.id}>
            <Link href={`/create/${draft.id}/${draft.step}`} className="remuda-name">
              {draft.title}
            </Link>
            <span className="remuda-subtle">
              {texts.draftChanged} <Time at={draft.updatedAt} />
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
