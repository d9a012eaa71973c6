import { array, assert, boolean, constantFrom, integer, property, record } from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Intent } from '../../../provisioners/contract/intent.ts';
import type { Observed } from '../../../provisioners/contract/observed.ts';
import type { Plan, PlannedStep } from '../../../provisioners/contract/plan.ts';
import { restoredMark } from '../../../provisioners/kubernetes/marks.ts';
import { steps as everyStep } from '../../../provisioners/kubernetes/steps.ts';
import { planIntent } from '../../../daemon/planning/intents.ts';
import { ancestors, cluster, finished, request } from './scenario.ts';

type RestoreIntent = Extract<Intent, { kind: 'restore' }>;

const key = '0123456789ab';
const digest = 'ab'.repeat(32);

const backup: Extract<RestoreIntent['source'], { from: 'backup' }> = {
  from: 'backup',
  destination: { type: 'stateDisk' },
  id: '20261120T050000Z-0123456789abcdef',
  at: '2026-11-20T05:00:00.000Z',
  kubernetesVersion: 'v1.20.2',
  revision: 4711,
  bytes: 1000,
  snapshotSha256: digest,
  fileSha256: digest,
  isKnown: true,
};

const intentOf = (source: RestoreIntent['source'] = backup, lost: readonly string[] = []): RestoreIntent => ({
  kind: 'restore',
  key,
  source,
  lost: [...lost],
});

const names = (count: number): string[] => Array.from({ length: count }, (_, index) => `c-cp-${index + 1}`);

/** A finished cluster that has fallen silent; only these masters can be visited. */
function silent(masters: number, answering: readonly string[]): Observed {
  const {
    nodes: _nodes,
    voters: _voters,
    marks: _marks,
    apiVersion: _version,
    ...seen
  } = finished(cluster(masters, 2));
  return {
    ...seen,
    certificates: answering.map((machine) => ({ machine, name: 'ca', notAfter: '2036-01-01T00:00:00Z' })),
    unseen: ['No API server answers.'],
  };
}

const planned = (masters: number, observed: Observed, intent: RestoreIntent): Plan => {
  const { retire: _retire, ...asked } = request(cluster(masters, 2), observed, { isEstablished: true });
  return planIntent({ ...asked, intent });
};

/** One master as far as a restore is concerned. */
interface Place {
  /** Whose data its etcd would start from. */
  data: 'old' | 'new' | 'none';
  aside: boolean;
  /** Its static pods may run. */
  isStarted: boolean;
}

/** What steps of a restore bring about: whose data may be served where. No I/O and no time. */
class Model {
  observed: Observed;
  readonly places = new Map<string, Place>();
  /** Acts that ended well: they are not done again. */
  readonly receipts = new Set<string>();
  readonly destroyed: string[] = [];

  constructor(observed: Observed, masters: readonly string[]) {
    this.observed = observed;
    for (const name of masters) this.places.set(name, { data: 'old', aside: false, isStarted: true });
  }

  /** The daemon writes down who leaves together with the plan. */
  adopt(plan: Plan): void {
    const since = '2026-11-21T05:00:00.000Z';
    const retires = Object.entries(plan.retires ?? {}).map(
      ([name, retirement]) => [name, { ...retirement, since, isFenced: false }] as const,
    );
    const retired = { ...this.observed.retired, ...Object.fromEntries(retires) };
    this.observed = { ...this.observed, retired };
  }

  run({ kind, subject, id, input }: PlannedStep): void {
    const place = this.places.get(subject) ?? { data: 'none', aside: false, isStarted: false };
    const { machines = [], references, certificates = [] } = this.observed;
    if (kind === 'machine.destroy') {
      this.observed = { ...this.observed, machines: machines.filter(({ name }) => name !== subject) };
      this.places.delete(subject);
      this.destroyed.push(subject);
    }
    if (kind === 'machine.create') this.#create(subject, input as { token: string; incarnation: number });
    if (kind === 'host-key.replace') {
      const reference = { name: subject, address: '10.80.9.9', port: 22, user: 'root', hostKeys: ['own'] };
      this.observed = { ...this.observed, references: { ...references, [subject]: reference } };
    }
    // Certificates of authorities are seen from then on: to a visitor it looks like a master.
    if (kind === 'pki.install')
      this.observed = {
        ...this.observed,
        certificates: [...certificates, { machine: subject, name: 'ca', notAfter: '2036-01-01T00:00:00Z' }],
      };
    if (kind === 'control-plane.stop') place.isStarted = false;
    if (kind === 'etcd-data.set-aside') Object.assign(place, { data: 'none', aside: place.data === 'old' });
    if (kind === 'etcd-data.restore') place.data = 'new';
    if (kind === 'control-plane.start' || kind === 'control-plane.init') place.isStarted = true;
    if (kind !== 'machine.destroy' && /^(control-plane|etcd-data)\./.test(kind))
      this.places.set(subject, place);
    if (everyStep.find((step) => step.kind === kind)?.nature === 'act') this.receipts.add(id);
  }

  #create(name: string, { token, incarnation }: { token: string; incarnation: number }): void {
    const machines = this.observed.machines ?? [];
    if (machines.some((machine) => machine.name === name)) return;
    const identity = this.observed.cluster;
    const machine = { name, token, incarnation, cluster: identity, role: 'control-plane', id: name } as const;
    this.observed = { ...this.observed, machines: [...machines, { ...machine, state: 'running' }] };
  }

  /** Whoever could serve the old data now, once the new is there. */
  get twice(): string[] {
    const all = [...this.places];
    if (!all.some(([, { data }]) => data === 'new')) return [];
    return all.filter(([, { data }]) => data === 'old').map(([name]) => name);
  }

  get end(): unknown {
    return {
      places: [...this.places].toSorted(([one], [other]) => one.localeCompare(other)),
      machines: (this.observed.machines ?? []).map(({ name }) => name).toSorted(),
      destroyed: [...new Set(this.destroyed)].toSorted(),
    };
  }
}

/** Runs up to `count` steps in an order that the graph allows and chance picks. */
function play(model: Model, plan: Plan, chance: readonly number[], count = plan.steps.length): void {
  model.adopt(plan);
  const done = new Set(plan.steps.filter(({ id }) => model.receipts.has(id)).map(({ id }) => id));
  for (let turn = 0; turn < count; turn += 1) {
    const ready = plan.steps.filter(
      ({ id, after }) => !done.has(id) && after.every((before) => done.has(before)),
    );
    const next = ready[(chance[turn % chance.length] ?? 0) % Math.max(1, ready.length)];
    if (next === undefined) break;
    model.run(next);
    done.add(next.id);
    expect(model.twice, `after ${next.id}`).toEqual([]);
  }
}

describe('planRestore (complaint 8, V8)', () => {
  const story = record({
    masters: constantFrom(1, 3, 5, 7),
    answers: array(boolean(), { minLength: 7, maxLength: 7 }),
    fromSurvivor: boolean(),
    chance: array(integer({ min: 0, max: 50 }), { minLength: 20, maxLength: 20 }),
    cut: integer({ min: 0, max: 80 }),
  });

  it('from every cut it goes on to the same end, and no two etcd clusters can serve at once', () => {
    assert(
      property(story, ({ masters, answers, fromSurvivor, chance, cut }) => {
        const all = names(masters);
        const answering = all.filter((_name, index) => answers[index]);
        const lost = all.filter((name) => !answering.includes(name));
        const [survivor] = answering;
        const source =
          fromSurvivor && survivor !== undefined
            ? ({ from: 'survivor', machine: survivor } as const)
            : backup;
        const intent = intentOf(source, lost);
        const whole = new Model(silent(masters, answering), all);
        const plan = planned(masters, whole.observed, intent);
        play(whole, plan, chance);
        const half = new Model(silent(masters, answering), all);
        play(half, plan, chance, cut % (plan.steps.length + 1));
        const again = planned(masters, half.observed, plan.intent as RestoreIntent);
        // Nobody else is destroyed, and it is the same machine that gets the data.
        expect(plan.destroys).toEqual(expect.arrayContaining([...again.destroys]));
        const targetOf = ({ steps }: Plan) => steps.find(({ kind }) => kind === 'etcd-data.restore')?.subject;
        expect(targetOf(again)).toBe(targetOf(plan));
        play(half, again, chance);
        expect(half.end).toEqual(whole.end);
        const serving = [...half.places.values()].filter(
          ({ data, isStarted }) => data === 'new' && isStarted,
        );
        expect(serving).toHaveLength(1);
        for (const name of answering)
          if (name !== targetOf(plan))
            expect(half.places.get(name)).toEqual({ data: 'none', aside: true, isStarted: false });
      }),
      { numRuns: 100 },
    );
  });

  it('touches nothing before the backup was brought and checked, and every master has room', () => {
    const { steps } = planned(3, silent(3, names(3)), intentOf());
    for (const { id, kind } of steps.filter((step) => step.kind === 'control-plane.stop')) {
      const before = ancestors(steps, id);
      expect(before, kind).toContain('backup.fetch/c-cp-1');
      for (const name of names(3)) expect(before).toContain(`etcd-data.check/${name}`);
    }
  });

  it('restores only when all are stopped, their data is aside, and the lost are destroyed', () => {
    const { steps, destroys } = planned(3, silent(3, ['c-cp-2']), intentOf(backup, ['c-cp-1', 'c-cp-3']));
    const before = ancestors(steps, 'etcd-data.restore/c-cp-2');
    for (const id of [
      'machine.destroy/c-cp-1',
      'machine.destroy/c-cp-3',
      'control-plane.stop/c-cp-2',
      'etcd-data.set-aside/c-cp-2',
    ])
      expect(before).toContain(id);
    expect(destroys).toEqual(['c-cp-1', 'c-cp-3']);
  });

  it('refuses while a master is silent that nobody gave up, and says what to write', () => {
    expect(() => planned(3, silent(3, ['c-cp-2']), intentOf(backup, ['c-cp-1']))).toThrow(
      /c-cp-3 does not answer/,
    );
    expect(() => planned(3, silent(3, names(3)), intentOf(backup, ['c-cp-1']))).toThrow(/it is not lost/);
    const survivor = { from: 'survivor', machine: 'c-cp-1' } as const;
    expect(() => planned(3, silent(3, ['c-cp-2']), intentOf(survivor, ['c-cp-1', 'c-cp-3']))).toThrow(
      /c-cp-1 does not answer/,
    );
  });

  it('refuses a backup of another minor of Kubernetes', () => {
    const other = { ...backup, kubernetesVersion: 'v1.19.4' };
    expect(() => planned(3, silent(3, names(3)), intentOf(other))).toThrow(/v1\.19\.4/);
  });

  it('plans nothing when the provider could not be asked: absent is never zero', () => {
    const { machines: _machines, ...unseen } = silent(3, names(3));
    expect(() => planned(3, unseen, intentOf())).toThrow(/nothing is restored on a guess|could not be asked/);
  });

  it('says what is lost, what is kept, and that etcd 3.4 cannot raise its revisions', () => {
    const { notices } = planned(3, silent(3, names(3)), intentOf({ ...backup, isKnown: false }));
    const text = notices.join('\n');
    expect(text).toContain('whatever was written since then is lost');
    expect(text).toContain('whoever could write at its destination');
    expect(text).toContain('cannot raise its revisions');
    expect(text).toContain(`/var/lib/remuda/restore/${key}`);
  });

  it('goes on by the document once the data serves: the other masters join, nobody is stopped again', () => {
    const { certificates: _none, ...seen } = finished(cluster(3, 2));
    const restored: Observed = {
      ...seen,
      voters: (seen.voters ?? []).filter(({ name }) => name === 'c-cp-1'),
      marks: { ...seen.marks, [restoredMark]: key },
    };
    const plan = planned(3, restored, intentOf());
    const kinds = (kind: string) => plan.steps.filter((step) => step.kind === kind).map((one) => one.subject);
    expect(kinds('control-plane.join')).toEqual(['c-cp-2', 'c-cp-3']);
    expect(kinds('control-plane.stop')).toEqual([]);
    expect(plan.intent).toMatchObject({ isServing: true });
    // Silence later is no beginning: who joined since is not stopped.
    expect(() => planned(3, silent(3, names(3)), plan.intent as RestoreIntent)).toThrow(
      /nodes could not be seen/,
    );
  });
});
