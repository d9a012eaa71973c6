import { z } from 'zod';
import type { JsonObject } from '../../../provisioners/contract/json.ts';
import type { Observed } from '../../../provisioners/contract/observed.ts';
import type { Plan, PlannedStep } from '../../../provisioners/contract/plan.ts';
import type { DesiredCluster, DesiredProvider, Planners } from '../../../daemon/operations/planners.ts';

/** One thing a tiny cluster is made of. `act` leaves only a receipt; `fact` names a step whose fact its input takes. */
const thingSchema = z.strictObject({
  id: z.string(),
  after: z.array(z.string()).readonly(),
  isAct: z.boolean().exactOptional(),
  isCheck: z.boolean().exactOptional(),
  fact: z.string().exactOptional(),
});

const windowSchema = z.strictObject({
  days: z.array(z.enum(['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'])).readonly(),
  from: z.string(),
  to: z.string(),
  timeZone: z.string(),
});

const documentSchema = z.strictObject({
  name: z.string(),
  things: z.array(thingSchema).readonly(),
  protected: z.boolean().exactOptional(),
  destroyLimit: z.number().exactOptional(),
  note: z.string().exactOptional(),
  maintenance: z
    .strictObject({
      windows: z.array(windowSchema).readonly().exactOptional(),
      approvals: z.int().exactOptional(),
      pauseBetween: z.int().exactOptional(),
    })
    .exactOptional(),
  secret: z.string().exactOptional(),
  backup: z.strictObject({ cron: z.string(), timeZone: z.string() }).exactOptional(),
  server: z.string().exactOptional(),
});

const fileSchema = documentSchema.extend({
  given: z.record(z.string(), z.record(z.string(), z.string())).exactOptional(),
});

/** One thing a tiny cluster is made of. */
export type TinyThing = z.infer<typeof thingSchema>;

/** A tiny answer file: JSON, so that these tests need neither the real spec nor the real planner. */
export type TinyFile = z.infer<typeof fileSchema>;

export const tinyText = (file: TinyFile): string => JSON.stringify(file);

/** A document as it is kept: plain JSON. */
const jsonOf = (document: z.infer<typeof documentSchema>): JsonObject =>
  JSON.parse(JSON.stringify(document)) as JsonObject;

const cluster = (document: JsonObject): DesiredCluster => {
  const file = documentSchema.parse(document);
  return {
    name: file.name,
    provider: 'tiny',
    document,
    apiPort: 6443,
    destroyLimit: file.destroyLimit ?? 3,
    maintenance: { windows: [], approvals: 1, pauseBetween: 0, ...file.maintenance },
    backup: {
      destination: { type: 'stateDisk' },
      keep: {},
      ...(file.backup === undefined ? {} : { schedule: file.backup }),
    },
    hookSecrets: [],
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
      const { given, ...parsed } = fileSchema.parse(JSON.parse(text));
      const providerDocument = {
        server: parsed.server ?? 'here',
        ...(parsed.secret === undefined ? {} : { credentials: { secretRef: parsed.secret } }),
      };
      return {
        problems: [],
        clusters: [cluster(jsonOf(parsed))],
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
  printCluster: (document) => JSON.stringify(document),
  printProvider: (document) => JSON.stringify(document),
  checkChange: () => [],
  changeMachines: ({ document }) => ({ text: JSON.stringify(document), retire: {} }),
  planCluster: ({ desired, observed, revision }) =>
    planTiny(documentSchema.parse(desired.document), observed, revision),
  planRevival: () => undefined,
  planIntent: ({ intent, observed, revision }) => {
    const made = Object.keys(observed.marks ?? {});
    return { ...plan(intent.kind, observed, revision, removals(made), made), intent };
  },
  releaseSteps: () => [],
  planDrift: () => ({ steps: [], unmet: [] }),
  planDeletion: ({ observed, revision }) => {
    const made = Object.keys(observed.marks ?? {});
    return plan('delete', observed, revision, removals(made), made);
  },
  compareFound: () => ({ differences: [], isEtcdUnseen: false }),
  marksOfFound: (_desired, _provider, observed) => ({ digests: {}, adopted: observed }),
  describePlan: (described) => described.steps.map((step) => step.title).join('\n'),
  natureOf: (kind) => (kind === 'thing.announce' ? 'act' : 'ensure'),
};
