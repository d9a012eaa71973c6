import type { JsonObject } from '../../../provisioners/contract/json.ts';
import type { Observed } from '../../../provisioners/contract/observed.ts';
import type { Plan, PlannedStep } from '../../../provisioners/contract/plan.ts';
import type { DesiredCluster, DesiredProvider, Planners } from '../../../daemon/operations/planners.ts';

/** One thing a tiny cluster is made of. `act` leaves only a receipt; `fact` names a step whose fact its input takes. */
export interface TinyThing {
  readonly id: string;
  readonly after: readonly string[];
  readonly isAct?: boolean;
  readonly isCheck?: boolean;
  readonly fact?: string;
}

/** A tiny answer file: JSON, so that these tests need neither the real spec nor the real planner. */
export interface TinyFile {
  readonly name: string;
  readonly things: readonly TinyThing[];
  readonly protected?: boolean;
  readonly destroyLimit?: number;
  readonly note?: string;
  readonly secret?: string;
  readonly server?: string;
  readonly given?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export const tinyText = (file: TinyFile): string => JSON.stringify(file);

const cluster = (document: JsonObject): DesiredCluster => {
  const file = document as unknown as TinyFile; // reason: the tiny file is JSON by construction
  return {
    name: file.name,
    provider: 'tiny',
    document,
    apiPort: 6443,
    destroyLimit: file.destroyLimit ?? 3,
    isProtected: file.protected === true,
  };
};

const provider = (document: JsonObject): DesiredProvider => ({
  name: 'tiny',
  config: { name: 'tiny', type: 'lab', config: document },
  document,
  site: 'local',
  destination: String(document['server'] ?? 'nowhere'),
});

const plannedStep = (
  kind: string,
  subject: string,
  rest: Pick<PlannedStep, 'after' | 'input' | 'destructive'>,
): PlannedStep => ({
  id: `${kind}/${subject}`,
  kind,
  version: 1,
  phase: rest.destructive ? 'teardown' : 'machines',
  subject,
  title: `${kind} ${subject}`,
  ...rest,
});

const kindOf = (thing: TinyThing): string => (thing.isAct === true ? 'thing.announce' : 'thing.make');

function plan(
  kind: Plan['kind'],
  observed: Observed,
  revision: string,
  steps: PlannedStep[],
  destroys: readonly string[],
): Plan {
  const machines = Object.fromEntries((observed.machines ?? []).map(({ name, token }) => [name, token]));
  return {
    kind,
    cluster: observed.cluster,
    premises: { revision, observedAt: observed.at, machines, versions: {} },
    steps,
    destroys,
    notices: [],
    changes: [],
  };
}

const removals = (names: readonly string[]): PlannedStep[] =>
  names.map((name) =>
    plannedStep('thing.remove', name, { after: [], input: { thing: name, needs: [] }, destructive: true }),
  );

/** What the fake agent sees of the made things stands in `marks`; what stands there and is not asked for goes. */
function planTiny(file: TinyFile, observed: Observed, revision: string): Plan {
  const made = observed.marks ?? {};
  const open = file.things.filter((thing) => made[thing.id] === undefined);
  const idOf = new Map(file.things.map((thing) => [thing.id, `${kindOf(thing)}/${thing.id}`]));
  const isOpen = new Set(open.map((thing) => thing.id));
  const steps = open.map((thing) => ({
    ...plannedStep(kindOf(thing), thing.id, {
      after: thing.after.filter((id) => isOpen.has(id)).map((id) => idOf.get(id) as string),
      input: {
        thing: thing.id,
        needs: thing.after,
        ...(thing.fact === undefined || !isOpen.has(thing.fact)
          ? {}
          : { of: { $fact: { step: idOf.get(thing.fact) as string, path: ['size'] } } }),
      },
      destructive: false,
    }),
    ...(thing.isCheck === true ? ({ phase: 'preflight' } as const) : {}),
  }));
  const wanted = new Set(file.things.map((thing) => thing.id));
  const gone = Object.keys(made).filter((id) => !wanted.has(id));
  const kind = Object.keys(made).length === 0 ? 'create' : 'update';
  return plan(kind, observed, revision, [...steps, ...removals(gone)], gone);
}

export const tinyPlanners: Planners = {
  parse: (text, file) => {
    const base = { clusters: [], providers: [], secrets: [], text, place: () => undefined };
    try {
      const { given, ...parsed } = JSON.parse(text) as TinyFile;
      const providerDocument = {
        server: parsed.server ?? 'here',
        ...(parsed.secret === undefined ? {} : { credentials: { secretRef: parsed.secret } }),
      };
      return {
        problems: [],
        clusters: [cluster(parsed as unknown as JsonObject)], // reason: JSON by construction
        providers: [provider(providerDocument)],
        secrets: Object.entries(given ?? {}).map(([name, data]) => ({ name, data })),
        text: JSON.stringify(parsed),
        place: (_document, field) => ({ file, field, line: 7 }),
      };
    } catch {
      const problem = { kind: 'user' as const, code: 'TINY-001', summary: `${file} is not a tiny file` };
      return { ...base, problems: [problem] };
    }
  },
  readCluster: cluster,
  readProvider: provider,
  checkChange: () => [],
  planCluster: ({ desired, observed, revision }) =>
    planTiny(desired.document as unknown as TinyFile, observed, revision), // reason: JSON by construction
  planDeletion: ({ observed, revision }) => {
    const made = Object.keys(observed.marks ?? {});
    return plan('delete', observed, revision, removals(made), made);
  },
  describePlan: (described) => described.steps.map((step) => step.title).join('\n'),
  natureOf: (kind) => (kind === 'thing.announce' ? 'act' : 'ensure'),
};
