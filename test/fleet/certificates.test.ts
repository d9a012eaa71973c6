import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { drawServer } from '../../appliance/agent/pki.ts';
import { Blocked } from '../../provisioners/contract/problem.ts';
import type { Observation } from '../../provisioners/contract/step.ts';
import { whyOutdated } from '../../provisioners/kubernetes/certificate-renewal.ts';
import { componentsOf } from '../../provisioners/kubernetes/kubeadm-certificates.ts';
import { certificatesRenew } from '../../provisioners/kubernetes/steps/certificates-renew.ts';
import { settings } from '../unit/kubernetes/fake-settings.ts';
import { controlPlane, type FleetControlPlane } from './bench.ts';

const minute = 60_000;
const day = 24 * 60 * minute;

/** Asks for certificates made anew: those that are there end a year after they were made, which was before. */
function inputFor(bench: FleetControlPlane, name: string, isRescue = false) {
  const endsAfter = new Date(bench.fleet.now + 365 * day - minute).toISOString();
  return { machine: bench.of(name), settings, access: bench.access, endsAfter, isRescue };
}
type Input = ReturnType<typeof inputFor>;

/** A cluster whose certificates were made half a year ago. */
async function agedControlPlane(names: readonly string[]): Promise<FleetControlPlane> {
  const bench = await controlPlane(names);
  bench.fleet.settle(bench.fleet.now + 180 * day);
  bench.fleet.effects.length = 0;
  return bench;
}

/** The step loop in small: looks, applies, looks again, until it is done or blocked. */
async function run(bench: FleetControlPlane, input: Input, tries = 30): Promise<Observation<unknown>> {
  let attempt = 0;
  for (;;) {
    attempt += 1;
    const context = bench.context({ step: `renew ${input.machine.name}`, attempt });
    const seen = await certificatesRenew.observe(context, input);
    if (seen.state === 'done' || seen.state === 'blocked' || attempt > tries) return seen;
    if (seen.state !== 'pending')
      await certificatesRenew.apply(context, input).catch((thrown: unknown) => {
        if (!(thrown instanceof Blocked) || attempt >= tries) throw thrown;
      });
    bench.fleet.settle(bench.fleet.now + 1000);
  }
}

const restarts = (bench: FleetControlPlane): string[] =>
  bench.fleet.effects
    .filter(({ call }) => call === 'host.restartComponent')
    .map(({ target }) => target.replace(/^.*:/u, ''));

const inOrder = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'];

describe('certificates.renew (H12, complaint 13)', () => {
  it('renews one master after another without the cluster losing its API or its quorum', async () => {
    const bench = await agedControlPlane(['m1', 'm2', 'm3']);
    for (const name of bench.masters) {
      const input = inputFor(bench, name);
      const before = await certificatesRenew.observe(bench.context(), input);
      expect(before).toMatchObject({ state: 'todo', why: expect.stringContaining(`of ${name} ends on`) });
      expect(await run(bench, input)).toEqual({ state: 'done', facts: {} });
      expect(bench.fleet.effects.filter(({ call }) => call === 'kubeadm.start renew')).toHaveLength(
        bench.masters.indexOf(name) + 1,
      );
    }
    expect(restarts(bench)).toEqual([...inOrder, ...inOrder, ...inOrder]);
    expect(bench.fleet.violations).toEqual([]);
  });

  it('does nothing when everything ends late enough', async () => {
    const bench = await agedControlPlane(['m1']);
    const input = inputFor(bench, 'm1');
    await run(bench, input);
    const effects = bench.fleet.effects.length;
    expect(await run(bench, input)).toMatchObject({ state: 'done' });
    await certificatesRenew.apply(bench.context(), input);
    expect(bench.fleet.effects).toHaveLength(effects);
  });

  it('calls a renewed file with an old process broken, and mends it by restarts alone', async () => {
    const bench = await agedControlPlane(['m1', 'm2', 'm3']);
    const input = inputFor(bench, 'm2');
    // What it signs with, and somebody who ran kubeadm by hand and restarted nothing.
    await bench.ports().file.write(input.machine, keysOf());
    await bench.ports({ step: 'by hand' }).kubeadm.run(input.machine, { verb: 'renew', config: '/none' });
    const seen = await certificatesRenew.observe(bench.context(), input);
    expect(seen).toMatchObject({ state: 'broken', why: expect.stringContaining('etcd runs since before') });
    bench.fleet.effects.length = 0;
    expect(await run(bench, input)).toMatchObject({ state: 'done' });
    expect(restarts(bench)).toEqual(inOrder);
    expect(bench.fleet.effects.filter(({ call }) => call.startsWith('kubeadm.start'))).toEqual([]);
  });

  it('does not restart etcd while the others are no majority, and goes on when they are', async () => {
    const bench = await agedControlPlane(['m1', 'm2', 'm3']);
    await bench.stopMember('m3');
    const input = inputFor(bench, 'm1');
    await expect(run(bench, input)).rejects.toMatchObject({
      report: { kind: 'blocked', code: 'CERT-002', summary: expect.stringContaining('m3') },
    });
    expect(restarts(bench)).toEqual([]);
    const third = bench.fleet.byAddress.get(bench.of('m3').address);
    if (third !== undefined) bench.fleet.setPower(third, 'on');
    bench.fleet.settle(bench.fleet.now + 60_000);
    expect(await run(bench, input)).toMatchObject({ state: 'done' });
    expect(bench.fleet.violations).toEqual([]);
  });

  it('leaves the only API server that answers alone', async () => {
    const bench = await agedControlPlane(['m1', 'm2', 'm3']);
    const manifest = '/etc/kubernetes/manifests/kube-apiserver.yaml';
    for (const name of ['m2', 'm3']) await bench.ports().file.remove(bench.of(name), [manifest]);
    await expect(run(bench, inputFor(bench, 'm1'))).rejects.toMatchObject({
      report: { kind: 'blocked', code: 'CERT-003' },
    });
    expect(restarts(bench)).toEqual(['etcd']);
  });

  it('is not done before everything answers again; in a rescue that is not awaited', async () => {
    const bench = await agedControlPlane(['m1']);
    const input = inputFor(bench, 'm1');
    await run(bench, input);
    await bench.ports().file.remove(bench.of('m1'), ['/var/lib/etcd']);
    const seen = await certificatesRenew.observe(bench.context(), input);
    expect(seen).toMatchObject({ state: 'pending', what: 'etcd on m1 to answer' });
    const rescued = await certificatesRenew.observe(bench.context(), { ...input, isRescue: true });
    expect(rescued).toMatchObject({ state: 'done' });
  });

  it('believes what is shown more than what is written', () => {
    const [etcd, , , scheduler] = componentsOf(6444);
    if (etcd === undefined || scheduler === undefined) throw new Error('a component is missing');
    const [before, asked, late] = ['2026-12-01', '2027-01-01', '2027-06-01'].map(
      (date) => `${date}T00:00:00.000Z`,
    );
    const files = [{ name: 'etcd/server', notAfter: late ?? '', fingerprint: 'new' }];
    const shows = (component: typeof etcd, fingerprint: string, notAfter = late ?? '') => {
      const state = { name: component.name, running: true, outdated: [], served: { fingerprint, notAfter } };
      return whyOutdated({ ...component, state }, files, { endsAfter: asked ?? '', now: before ?? '' });
    };
    expect(shows(etcd, 'new')).toBeUndefined();
    expect(shows(etcd, 'old')).toContain('another certificate than etcd/server');
    // The controllers make their own when they start, for a year.
    expect(shows(scheduler, 'own')).toBeUndefined();
    expect(shows(scheduler, 'own', '2027-01-01T00:00:00.000Z')).toBeUndefined();
    expect(shows(scheduler, 'own', '2026-12-31T00:00:00.000Z')).toContain(`ends on 2026-12-31`);
  });

  it('moves the lead of etcd away first', async () => {
    const bench = await agedControlPlane(['m1', 'm2', 'm3']);
    const leader = (await bench.ports().etcd.members(bench.access)).find((member) => member.leader);
    await run(bench, inputFor(bench, leader?.name ?? ''));
    const calls = bench.fleet.effects.map(({ call }) => call);
    const moved = calls.indexOf('etcd.moveLeader');
    expect(moved).toBeGreaterThan(-1);
    expect(moved).toBeLessThan(calls.indexOf('host.restartComponent'));
  });

  it('renews a single master, whose cluster cannot be without it', async () => {
    const bench = await agedControlPlane(['m1']);
    expect(await run(bench, inputFor(bench, 'm1'))).toMatchObject({ state: 'done' });
    expect(bench.fleet.violations).toEqual([]);
  });

  it('says who must act when the authority itself ends too early', async () => {
    const bench = await agedControlPlane(['m1']);
    const { certificate } = await drawServer('10.0.0.1');
    const path = '/etc/kubernetes/pki/etcd/ca.crt';
    await bench.ports().file.write(bench.of('m1'), [{ path, content: certificate, mode: 0o644 }]);
    const endsAfter = '2400-01-01T00:00:00.000Z';
    const seen = await certificatesRenew.observe(bench.context(), { ...inputFor(bench, 'm1'), endsAfter });
    expect(seen).toMatchObject({ state: 'blocked', why: expect.stringContaining('the authority etcd/ca') });
  });

  it('says who must act when kubeadm leaves a certificate out, because its key is elsewhere', async () => {
    const bench = await agedControlPlane(['m1']);
    const machine = bench.fleet.byAddress.get(bench.of('m1').address);
    bench.around = async (label, effect) => {
      if (label.startsWith('kubeadm.start')) machine?.files.delete('/etc/kubernetes/pki/front-proxy-ca.key');
      return effect();
    };
    await expect(run(bench, inputFor(bench, 'm1'))).rejects.toMatchObject({
      report: { kind: 'blocked', code: 'CERT-001', summary: expect.stringContaining('front-proxy-client') },
    });
    expect(restarts(bench)).toEqual([]);
  });

  it('says who must act when a certificate is gone, and when nothing of a master is there', async () => {
    const bench = await agedControlPlane(['m1']);
    const input = inputFor(bench, 'm1');
    await bench.ports().file.remove(input.machine, ['/etc/kubernetes/pki/apiserver.crt']);
    const seen = await certificatesRenew.observe(bench.context(), input);
    expect(seen).toMatchObject({ state: 'blocked', why: expect.stringContaining('apiserver is not on m1') });
    await bench.ports().file.remove(input.machine, ['/etc/kubernetes/manifests']);
    const bare = await certificatesRenew.observe(bench.context(), input);
    expect(bare).toMatchObject({ state: 'blocked', why: expect.stringContaining('no manifest') });
  });

  it('brings a cluster back whose certificates have all run out (rescue)', async () => {
    const bench = await agedControlPlane(['m1', 'm2', 'm3']);
    bench.fleet.settle(bench.fleet.now + 200 * day);
    for (const each of bench.fleet.clusters.values()) bench.fleet.refresh(each, undefined);
    const { kubernetes } = bench.ports();
    expect(await kubernetes.version(bench.access, bench.of('m1'))).toBeUndefined();
    // Without being told so, nothing is restarted where nothing answers.
    await expect(run(bench, inputFor(bench, 'm1'))).rejects.toMatchObject({ report: { kind: 'transient' } });
    expect(restarts(bench)).toEqual([]);
    for (const name of bench.masters)
      expect(await run(bench, inputFor(bench, name, true))).toMatchObject({ state: 'done' });
    bench.fleet.settle(bench.fleet.now + 60_000);
    for (const master of bench.access.masters)
      expect(await kubernetes.version(bench.access, master)).toBe('v1.20.2');
    expect(bench.fleet.violations).toEqual([]);
  });
});

/** A cut of the agent: before an effect, or after it and before anybody heard. */
class Cut extends Error {}

/** Runs with one cut at the nth effect; answers whether there was such an effect. */
async function runCut(
  bench: FleetControlPlane,
  input: Input,
  at: number,
  isAfter: boolean,
): Promise<boolean> {
  let effects = 0;
  bench.around = async (_label, effect) => {
    effects += 1;
    if (effects !== at) return effect();
    if (isAfter) await effect();
    throw new Cut();
  };
  try {
    await run(bench, input);
  } catch (thrown) {
    if (!(thrown instanceof Cut)) throw thrown;
  }
  bench.around = undefined;
  return effects >= at;
}

describe('certificates.renew, killed at every effect', () => {
  it('ends alike wherever it was cut, and harms nothing on the way', async () => {
    let cuts = 0;
    for (const isAfter of [false, true])
      for (let at = 1; ; at += 1) {
        const bench = await agedControlPlane(['m1', 'm2', 'm3']);
        const input = inputFor(bench, 'm1');
        if (!(await runCut(bench, input, at, isAfter))) break;
        cuts += 1;
        expect(await run(bench, input)).toMatchObject({ state: 'done' });
        expect(bench.fleet.violations).toEqual([]);
        expect(new Set(restarts(bench))).toEqual(new Set(inOrder));
      }
    // Keys, configuration, kubeadm, leader, four restarts: each before and after.
    expect(cuts).toBeGreaterThanOrEqual(14);
  });

  it('ends done after any two cuts', async () => {
    const cut = fc.record({ at: fc.integer({ min: 1, max: 9 }), isAfter: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(cut, { minLength: 2, maxLength: 2 }), async (cuts) => {
        const bench = await agedControlPlane(['m1', 'm2', 'm3']);
        const input = inputFor(bench, 'm1');
        for (const { at, isAfter } of cuts) await runCut(bench, input, at, isAfter);
        expect(await run(bench, input)).toMatchObject({ state: 'done' });
        expect(bench.fleet.violations).toEqual([]);
      }),
      { numRuns: 20 },
    );
  });
});

const keysOf = () =>
  ['ca.key', 'etcd/ca.key', 'front-proxy-ca.key'].map((name) => ({
    path: `/etc/kubernetes/pki/${name}`,
    content: 'model key',
    mode: 0o600,
  }));
