import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { conflicts, type RequestKind, type Verdict } from '../../../daemon/operations/conflicts.ts';
import type { Intent } from '../../../provisioners/contract/intent.ts';
import type { OperationKind } from '../../../provisioners/contract/plan.ts';
import { FakeSite } from './fake-site.ts';
import { type TinyFile, tinyText } from './tiny-planners.ts';

/** The table as a person would write it down; the code's table must say the same. */
const expected: [OperationKind, RequestKind, Verdict][] = [
  ['create', 'create', 'refuse'],
  ['create', 'update', 'wait'],
  ['create', 'delete', 'interrupt'],
  ['create', 'resume', 'refuse'],
  ['create', 'observe', 'beside'],
  ['create', 'plan', 'beside'],
  ['create', 'credential', 'beside'],
  ['update', 'create', 'refuse'],
  ['update', 'update', 'wait'],
  ['update', 'delete', 'interrupt'],
  ['update', 'resume', 'refuse'],
  ['update', 'observe', 'beside'],
  ['update', 'plan', 'beside'],
  ['update', 'credential', 'beside'],
  ['create', 'finalize', 'refuse'],
  ['update', 'finalize', 'refuse'],
  ['delete', 'finalize', 'refuse'],
  ['create', 'renew', 'refuse'],
  ['update', 'renew', 'refuse'],
  ['finalize', 'renew', 'refuse'],
  ['delete', 'renew', 'refuse'],
  ['renew', 'create', 'refuse'],
  ['renew', 'update', 'wait'],
  ['renew', 'delete', 'interrupt'],
  ['renew', 'finalize', 'refuse'],
  ['renew', 'renew', 'refuse'],
  ['renew', 'resume', 'refuse'],
  ['renew', 'observe', 'beside'],
  ['renew', 'plan', 'beside'],
  ['renew', 'credential', 'beside'],
  ['finalize', 'create', 'refuse'],
  ['finalize', 'update', 'wait'],
  ['finalize', 'delete', 'interrupt'],
  ['finalize', 'finalize', 'refuse'],
  ['finalize', 'resume', 'refuse'],
  ['finalize', 'observe', 'beside'],
  ['finalize', 'plan', 'beside'],
  ['finalize', 'credential', 'beside'],
  ['create', 'restore', 'refuse'],
  ['update', 'restore', 'refuse'],
  ['finalize', 'restore', 'refuse'],
  ['renew', 'restore', 'refuse'],
  ['delete', 'restore', 'refuse'],
  ['restore', 'create', 'refuse'],
  ['restore', 'update', 'wait'],
  ['restore', 'delete', 'interrupt'],
  ['restore', 'finalize', 'refuse'],
  ['restore', 'renew', 'refuse'],
  ['restore', 'restore', 'refuse'],
  ['restore', 'resume', 'refuse'],
  ['restore', 'observe', 'beside'],
  ['restore', 'plan', 'beside'],
  ['restore', 'credential', 'beside'],
  ['create', 'backup', 'wait'],
  ['update', 'backup', 'wait'],
  ['finalize', 'backup', 'wait'],
  ['renew', 'backup', 'wait'],
  ['restore', 'backup', 'refuse'],
  ['backup', 'backup', 'refuse'],
  ['delete', 'backup', 'refuse'],
  ['backup', 'create', 'refuse'],
  ['backup', 'update', 'wait'],
  ['backup', 'delete', 'interrupt'],
  ['backup', 'finalize', 'wait'],
  ['backup', 'renew', 'wait'],
  ['backup', 'restore', 'interrupt'],
  ['backup', 'resume', 'refuse'],
  ['backup', 'observe', 'beside'],
  ['backup', 'plan', 'beside'],
  ['backup', 'credential', 'beside'],
  ['delete', 'create', 'refuse'],
  ['delete', 'update', 'refuse'],
  ['delete', 'delete', 'refuse'],
  ['delete', 'resume', 'refuse'],
  ['delete', 'observe', 'beside'],
  ['delete', 'plan', 'beside'],
  ['delete', 'credential', 'refuse'],
  ['create', 'adopt', 'refuse'],
  ['create', 'eject', 'refuse'],
  ['update', 'adopt', 'refuse'],
  ['update', 'eject', 'refuse'],
  ['finalize', 'adopt', 'refuse'],
  ['finalize', 'eject', 'refuse'],
  ['renew', 'adopt', 'refuse'],
  ['renew', 'eject', 'refuse'],
  ['restore', 'adopt', 'refuse'],
  ['restore', 'eject', 'refuse'],
  ['delete', 'adopt', 'refuse'],
  ['delete', 'eject', 'refuse'],
  ['backup', 'adopt', 'refuse'],
  ['backup', 'eject', 'wait'],
  ['eject', 'adopt', 'refuse'],
  ['eject', 'eject', 'refuse'],
  ['eject', 'backup', 'refuse'],
  ['eject', 'create', 'refuse'],
  ['eject', 'delete', 'refuse'],
  ['eject', 'finalize', 'refuse'],
  ['eject', 'renew', 'refuse'],
  ['eject', 'restore', 'refuse'],
  ['eject', 'resume', 'refuse'],
  ['eject', 'update', 'refuse'],
  ['eject', 'observe', 'beside'],
  ['eject', 'plan', 'beside'],
  ['eject', 'credential', 'refuse'],
  ['adopt', 'adopt', 'refuse'],
  ['adopt', 'eject', 'refuse'],
  ['adopt', 'backup', 'refuse'],
  ['adopt', 'create', 'refuse'],
  ['adopt', 'delete', 'refuse'],
  ['adopt', 'finalize', 'refuse'],
  ['adopt', 'renew', 'refuse'],
  ['adopt', 'restore', 'refuse'],
  ['adopt', 'resume', 'refuse'],
  ['adopt', 'update', 'wait'],
  ['adopt', 'observe', 'beside'],
  ['adopt', 'plan', 'beside'],
  ['adopt', 'credential', 'beside'],
  // Authorities that are rotated: half way is no state for anybody else to begin in.
  ['create', 'rotate', 'refuse'],
  ['update', 'rotate', 'refuse'],
  ['finalize', 'rotate', 'refuse'],
  ['renew', 'rotate', 'refuse'],
  ['restore', 'rotate', 'refuse'],
  ['delete', 'rotate', 'refuse'],
  ['eject', 'rotate', 'refuse'],
  ['adopt', 'rotate', 'refuse'],
  ['backup', 'rotate', 'wait'],
  ['rotate', 'adopt', 'refuse'],
  ['rotate', 'eject', 'refuse'],
  ['rotate', 'backup', 'wait'],
  ['rotate', 'create', 'refuse'],
  ['rotate', 'update', 'wait'],
  ['rotate', 'delete', 'interrupt'],
  ['rotate', 'finalize', 'refuse'],
  ['rotate', 'renew', 'refuse'],
  ['rotate', 'restore', 'refuse'],
  ['rotate', 'rotate', 'refuse'],
  ['rotate', 'resume', 'refuse'],
  ['rotate', 'observe', 'beside'],
  ['rotate', 'plan', 'beside'],
  ['rotate', 'credential', 'beside'],
];

test('the table has exactly these verdicts (DESIGN §5)', () => {
  const rows = Object.entries(conflicts).flatMap(([running, row]) =>
    Object.entries(row).map(([requested, verdict]) => [running, requested, verdict]),
  );
  expect(rows.toSorted()).toEqual(expected.toSorted());
});

const file: TinyFile = {
  name: 'one',
  things: [
    { id: 'a', after: [] },
    { id: 'b', after: [] },
  ],
};
const wider: TinyFile = { ...file, things: [...file.things, { id: 'c', after: [] }] };

/** What is wanted once, of each kind. */
const wishes = {
  adopt: { kind: 'adopt', login: 'key', digests: {}, takesOver: false },
  eject: { kind: 'eject' },
  backup: { kind: 'backup' },
  finalize: { kind: 'finalize' },
  renew: { kind: 'renew' },
  rotate: { kind: 'rotate', stage: 'trust' },
  restore: {
    kind: 'restore',
    key: '0123456789ab',
    source: { from: 'survivor', machine: 'a' },
    lost: [],
  },
} as const satisfies { readonly [Kind in Intent['kind']]: Extract<Intent, { kind: Kind }> };

const wishFor = (kind: Intent['kind']) =>
  ({ cluster: 'one', principal: 'p', intent: wishes[kind], confirm: 'one' }) as const;

const isIntent = (kind: OperationKind): kind is Intent['kind'] => kind in wishes;

describe('what the engine does about each pair is what the table says', () => {
  let site: FakeSite;
  beforeEach(async () => {
    site = new FakeSite();
    await site.start();
  });
  afterEach(() => site.close());

  /** Brings the cluster to where an operation of the kind runs and does not end. */
  async function occupy(kind: OperationKind): Promise<string> {
    if (isIntent(kind)) {
      const made = await site.apply(file);
      await site.until(
        () => site.engine.getOperation(made.operations[0]?.id as string).state === 'succeeded',
      );
    }
    for (const id of ['a', 'b', 'c']) site.agent.held.add(`thing.make/${id}`).add(`thing.remove/${id}`);
    if (isIntent(kind)) {
      const { operation } = await site.run(site.engine.dayTwo.start(wishFor(kind)));
      return operation?.id as string;
    }
    if (kind !== 'create') site.agent.made.set('a', 'made');
    const { operations } = await site.apply(file);
    const first = operations[0]?.id as string;
    if (kind === 'create' || kind === 'update') return first;
    const view = await site.run(site.engine.deleteCluster({ name: 'one', principal: 'p', confirm: 'one' }));
    await site.until(() => site.engine.getOperation(view.id).state === 'running');
    return view.id;
  }

  /** Asks for something and says what became of both. */
  async function ask(requested: RequestKind, holder: string): Promise<Verdict> {
    const principal = 'p';
    const asked: Record<RequestKind, () => Promise<unknown>> = {
      create: () => {
        site.agent.made.clear();
        return site.engine.apply({ text: tinyText(wider), file: 'f', principal });
      },
      update: () => {
        site.agent.made.set('a', 'made');
        return site.engine.apply({ text: tinyText(wider), file: 'f', principal });
      },
      delete: () => site.engine.deleteCluster({ name: 'one', principal, confirm: 'one' }),
      backup: () => {
        site.agent.made.set('a', 'made');
        return site.engine.dayTwo.start(wishFor('backup'));
      },
      finalize: () => {
        site.agent.made.set('a', 'made');
        return site.engine.dayTwo.start(wishFor('finalize'));
      },
      renew: () => {
        site.agent.made.set('a', 'made');
        return site.engine.dayTwo.start(wishFor('renew'));
      },
      rotate: () => {
        site.agent.made.set('a', 'made');
        return site.engine.dayTwo.start(wishFor('rotate'));
      },
      adopt: () => {
        site.agent.made.set('a', 'made');
        return site.engine.dayTwo.start(wishFor('adopt'));
      },
      eject: () => {
        site.agent.made.set('a', 'made');
        return site.engine.dayTwo.start(wishFor('eject'));
      },
      restore: () => {
        site.agent.made.set('a', 'made');
        return site.engine.dayTwo.start(wishFor('restore'));
      },
      resume: () => site.engine.resumeOperation(holder, principal),
      observe: () => site.engine.observe('one'),
      plan: () => site.engine.plan({ text: tinyText(wider), file: 'f', principal }),
      credential: () =>
        site.engine.issueCredential({ cluster: 'one', principal, groups: [], request: 'r', seconds: 60 }),
    };
    const before = new Set(site.engine.listOperations().map((operation) => operation.id));
    const outcome = await site.run(
      asked[requested]().then(
        () => 'done',
        (error: Error) => error,
      ),
    );
    // The fake agent signs nothing: that it was asked at all is what "beside" means here.
    if (outcome instanceof Error && !outcome.message.includes('knows no issueCredential')) return 'refuse';
    const added = site.engine.listOperations().find((operation) => !before.has(operation.id));
    if (added === undefined) return 'beside';
    await site.until(
      () => site.state.operations.get(holder)?.isCancelRequested === true || added.waitingFor === 'operation',
    );
    return site.state.operations.get(holder)?.isCancelRequested === true ? 'interrupt' : 'wait';
  }

  // Deleting what is being deleted is answered with the running deletion: nothing new is begun, which is what counts.
  test.each(expected.filter(([running, requested]) => !(running === 'delete' && requested === 'delete')))(
    '%s runs, %s is asked for: %s',
    async (running, requested, verdict) => {
      const holder = await occupy(running);
      expect(await ask(requested, holder)).toBe(verdict);
    },
  );

  test('delete runs, delete is asked for: the running one answers', async () => {
    const holder = await occupy('delete');
    const again = await site.run(site.engine.deleteCluster({ name: 'one', principal: 'p' }));
    expect(again.id).toBe(holder);
  });
});
