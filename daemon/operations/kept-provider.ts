import type { Instant } from '../../provisioners/contract/time.ts';
import type { State } from '../state/state.ts';
import { type DesiredProvider, secretsNamedIn } from './planners.ts';
import type { Note } from './recorder.ts';
import { digestOf } from './review.ts';

/** Keeps a provider and binds the secrets it names to where it points; answers whether it is another than before. */
export function keepProvider(
  state: State,
  provider: DesiredProvider,
  principal: string,
  note: Note,
  at: Instant,
): boolean {
  const { name, site, destination, document } = provider;
  const before = state.providers.get(name);
  for (const secret of secretsNamedIn(document))
    if (state.secrets.get(secret)?.destination === undefined) state.secrets.bind(secret, destination);
  if (before !== undefined && digestOf(before.document) === digestOf(document)) return false;
  state.providers.put({
    name,
    type: provider.config.type,
    site,
    destination,
    document,
    principal,
    updatedAt: at,
  });
  note({ type: 'provider.stored', data: { provider: name } });
  return true;
}
