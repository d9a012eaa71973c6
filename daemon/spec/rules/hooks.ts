import { longestHook } from '../../../provisioners/contract/hooks.ts';
import type { ClusterDocument } from '../documents.ts';
import { type HookDocument, hooksOf, hookTimeout, machinePoints, serverOfWebhook } from '../hooks.ts';
import type { DocumentProblem } from '../issue.ts';
import { hookWays } from '../schema/hooks.ts';
import type { Path } from '../schema/walk.ts';
import { nearest } from '../suggestion.ts';
import { type ClusterContext, repeated } from './context.ts';
import type { SecretUse } from './sources.ts';

const base: Path = ['spec', 'hooks'];

/** Names of their own, one way to run each, groups that are there, a time that can be kept. */
export function hooks({ cluster }: ClusterContext): DocumentProblem[] {
  const all = hooksOf(cluster);
  const groups = cluster.spec.workers.map(({ name }) => name);
  return [
    ...repeated(all, ({ name }) => name).map(({ item, index }) => ({
      code: 'SPEC-110',
      path: [...base, index, 'name'],
      summary: `Two hooks are named "${item.name}".`,
      remedy: 'Give each hook a name of its own: its runs are known by it.',
    })),
    ...all.flatMap((hook, index) => [
      ...ways(hook, [...base, index]),
      ...selection(hook, [...base, index], groups),
      ...time(hook, [...base, index]),
    ]),
  ];
}

function ways({ run }: HookDocument, path: Path): DocumentProblem[] {
  const given = hookWays.filter((way) => run[way] !== undefined);
  if (given.length === 1) return [];
  return [
    {
      code: 'SPEC-110',
      path: [...path, 'run'],
      summary:
        given.length === 0
          ? 'The hook does not say what it runs.'
          : `The hook runs in ${given.length} ways: ${given.join(' and ')}; only one can be meant.`,
      remedy: `Write one of ${hookWays.map((way) => `"${way}:"`).join(', ')} below "run".`,
    },
  ];
}

/** What it selects machines by: at a point about machines, or for scripts, which run on them; and groups that there are. */
function selection(
  { at, run, for: only }: HookDocument,
  path: Path,
  groups: readonly string[],
): DocumentProblem[] {
  const isSelecting = only.roles !== undefined || only.groups !== undefined;
  if (isSelecting && !machinePoints.has(at) && run.machine === undefined)
    return [
      {
        code: 'SPEC-110',
        path: [...path, 'for'],
        atKey: true,
        summary: `At ${at} the hook runs once for the whole cluster, and selects no machines.`,
        remedy: 'Remove "for", or choose beforeDrain, afterDrain or afterBoot.',
        related: [[...path, 'at']],
      },
    ];
  return (only.groups ?? []).flatMap((group, index) => {
    if (groups.includes(group)) return [];
    const meant = nearest(group, groups);
    return [
      {
        code: 'SPEC-110',
        path: [...path, 'for', 'groups', index],
        summary: `There is no worker group "${group}".`,
        remedy: meant === undefined ? 'Name a group of spec.workers.' : `Did you mean ${meant}?`,
      },
    ];
  });
}

function time(hook: HookDocument, path: Path): DocumentProblem[] {
  const asked = hookTimeout(hook);
  if (asked >= 1000 && asked <= longestHook) return [];
  return [
    {
      code: 'SPEC-110',
      path: [...path, 'timeout'],
      summary: `A hook may take one second to two hours, not ${hook.timeout ?? ''}.`,
      remedy: 'Write a time such as 10m; what takes longer is begun by the hook and looked after elsewhere.',
    },
  ];
}

/** Where hooks name secrets, and the servers they are for. */
export const hookSecretUses = (cluster: Pick<ClusterDocument, 'spec'>): SecretUse[] =>
  hooksOf(cluster).flatMap(({ run: { webhook } }, index) =>
    webhook === undefined
      ? []
      : [
          {
            path: [...base, index, 'run', 'webhook', 'credentials'],
            source: webhook.credentials,
            destination: serverOfWebhook(webhook.url),
          },
        ],
  );
