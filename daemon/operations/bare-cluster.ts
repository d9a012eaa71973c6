import type { State } from '../state/state.ts';
import type { Subject } from './observation.ts';
import type { DesiredCluster, Planners } from './planners.ts';

/** A cluster of which nothing is known but its name and where it is: nothing is asked for, and nothing holds anybody up. */
export const bareCluster = (name: string, provider: string): DesiredCluster => ({
  name,
  provider,
  document: {},
  apiPort: 6443,
  destroyLimit: 0,
  maintenance: { windows: [], approvals: 1, pauseBetween: 0 },
  backup: { destination: { type: 'stateDisk' }, keep: {} },
  hookSecrets: [],
  isProtected: false,
});

/** Whether it is such a one. */
export const isBare = ({ document }: DesiredCluster): boolean => Object.keys(document).length === 0;

/** What looking at such a cluster needs. Nobody has its keys. @throws Error when its provider is not kept */
export function bareSubject(
  state: State,
  planners: Planners,
  { uid, name, provider }: { readonly uid: string; readonly name: string; readonly provider: string },
): Subject {
  const record = state.providers.get(provider);
  if (record === undefined) throw new Error(`the provider ${provider} of cluster ${uid} is not kept`);
  return {
    cluster: { uid, name },
    provider: planners.readProvider(record.document),
    desired: bareCluster(name, provider),
    keys: '',
  };
}
