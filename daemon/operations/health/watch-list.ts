import { z } from 'zod';
import type { WatchedCluster } from '../../../appliance/agent/protocol/watch.ts';
import type { MachineRef } from '../../../provisioners/contract/machine.ts';
import { Problem } from '../../../provisioners/contract/problem.ts';
import type { ClusterEntry } from '../../state/clusters.ts';
import type { State } from '../../state/state.ts';
import { contextFor } from '../observation.ts';
import { subjectOf } from '../plan-record.ts';
import type { Planners } from '../planners.ts';

/** What is asked for, as it is kept. */
const versionSchema = z.looseObject({
  spec: z.looseObject({ kubernetes: z.looseObject({ version: z.string() }) }),
});

/** How many operations back it is looked whether one has made the cluster. */
const lookBack = 50;

/**
 * What an agent needs to look after a cluster; undefined when nobody is to: it was never finished, it is being deleted,
 * or a secret that is needed to reach it is missing (every operation on it says so).
 */
export function watchedCluster(
  state: State,
  planners: Planners,
  { uid }: ClusterEntry,
): WatchedCluster | undefined {
  const operations = state.operations.list(uid, lookBack);
  const isMade = operations.some(({ kind, state: how }) => kind !== 'delete' && how === 'succeeded');
  const holder = state.operations.holder(uid);
  if (!isMade || holder?.kind === 'delete') return undefined;
  try {
    const subject = subjectOf(state, planners, uid);
    const { desired } = subject;
    return {
      context: contextFor(state, subject),
      references: referencesOf(state, uid),
      ...(desired.endpoint === undefined ? {} : { endpoint: desired.endpoint }),
      apiPort: desired.apiPort,
      kubernetesVersion: versionSchema.parse(desired.document).spec.kubernetes.version,
      // A backup changes nothing: what is seen meanwhile counts as ever.
      isChanging: holder !== undefined && holder.kind !== 'backup',
    };
  } catch (error) {
    if (error instanceof Problem) return undefined;
    throw error;
  }
}

/** Machines that were met and are to stay. */
function referencesOf(state: State, uid: string): Record<string, MachineRef> {
  const retired = state.retirements.list(uid);
  return Object.fromEntries(
    state.machines
      .list(uid)
      .flatMap(({ name, reference }) =>
        reference === undefined || name in retired ? [] : [[name, reference] as const],
      ),
  );
}
