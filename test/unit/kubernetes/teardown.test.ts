import { describe, expect, it } from 'vitest';
import type { LedgerEntry, Provider, ProviderMachine } from '../../../provisioners/contract/provider.ts';
import type { Released } from '../../../provisioners/contract/released.ts';
import type { StepContext } from '../../../provisioners/contract/step.ts';
import { machineDestroy } from '../../../provisioners/kubernetes/steps/machine-destroy.ts';
import { teardownProve } from '../../../provisioners/kubernetes/steps/teardown-prove.ts';
import { FakeWorld } from './fake-context.ts';

const machine = (name: string): ProviderMachine => ({
  name,
  role: 'worker',
  token: `t-${name}`,
  incarnation: 1,
  cluster: { uid: 'uid-1', name: 'c' },
  id: `vm-${name}`,
  state: 'running',
});

/** A fake provider that holds things, some of which it will not let go. */
class FakeProvider {
  /** What controllers make is found by its tags, as far as it says so. */
  covers: Provider['covers'] = [];
  machines = [machine('c-w-1')];
  ledger: LedgerEntry[] = [];
  stubborn = new Set<string>();
  readonly calls: string[] = [];

  context(): StepContext {
    const provider = {
      type: 'ec2',
      covers: this.covers,
      machines: {
        list: async () => this.machines,
        destroy: async (_cluster: unknown, name: string) => {
          this.calls.push(`destroy ${name}`);
          this.machines = this.machines.filter((each) => each.name !== name || this.stubborn.has(name));
        },
      },
      ledger: async () => this.ledger,
      sweep: async () => {
        const left = this.ledger.filter(({ id, policy }) => policy === undefined && this.stubborn.has(id));
        this.ledger = this.ledger.filter(({ id, policy }) => policy !== undefined || this.stubborn.has(id));
        return { gone: [], kept: [], left: left.map((entry) => ({ ...entry, why: 'it is in use' })) };
      },
    };
    // Steps under test use these and no others; a missing one fails the test by name.
    return { ...new FakeWorld().context(), provider: provider as never as Provider };
  }
}

describe('teardown (C1; complaints 16 and 17, as far as no vSphere is needed)', () => {
  it('a machine that is missing counts as destroyed, and nobody is asked to remove it', async () => {
    const provider = new FakeProvider();
    provider.machines = [];
    const seen = await machineDestroy.observe(provider.context(), { name: 'c-w-1' });
    expect([seen, provider.calls]).toEqual([{ state: 'done', facts: {} }, []]);
  });

  it('that the provider answered is no proof: a machine that is still listed is not destroyed', async () => {
    const provider = new FakeProvider();
    provider.stubborn.add('c-w-1');
    await machineDestroy.apply(provider.context(), { name: 'c-w-1' });
    expect(await machineDestroy.observe(provider.context(), { name: 'c-w-1' })).toMatchObject({
      state: 'todo',
    });
    provider.stubborn.clear();
    await machineDestroy.apply(provider.context(), { name: 'c-w-1' });
    expect(await machineDestroy.observe(provider.context(), { name: 'c-w-1' })).toMatchObject({
      state: 'done',
    });
  });

  it('folders, tags and disks too: what bears the tag is swept; what stays is named with its reason', async () => {
    const provider = new FakeProvider();
    provider.ledger = [
      { type: 'folder', id: 'f-1', name: 'c' },
      { type: 'disk', id: 'd-1', name: 'pvc-1' },
      { type: 'disk', id: 'd-2', name: 'pvc-2', policy: 'deletion.volumes: retain' },
    ];
    provider.stubborn.add('d-1');
    const expected = [{ type: 'folder', id: 'f-1', name: 'c' }];
    expect(await teardownProve.observe(provider.context(), { expected })).toMatchObject({
      state: 'todo',
      why: expect.stringContaining('folder c, disk pvc-1'),
    });
    await expect(teardownProve.apply(provider.context(), { expected })).rejects.toMatchObject({
      report: { code: 'TEARDOWN-001', summary: expect.stringContaining('disk pvc-1: it is in use') },
    });
    provider.stubborn.clear();
    await teardownProve.apply(provider.context(), { expected });
    expect(await teardownProve.observe(provider.context(), { expected })).toEqual({
      state: 'done',
      facts: {
        gone: expected,
        kept: [{ type: 'disk', id: 'd-2', name: 'pvc-2', policy: 'deletion.volumes: retain' }],
        left: [],
      },
    });
  });

  const balancer = { type: 'load balancer', id: 'uid-web', name: '203.0.113.7 of Service shop/web' };
  const skipped: Released = {
    of: 'balancers',
    gone: [],
    kept: [],
    left: [{ ...balancer, why: 'held by its finalizer' }],
  };
  const none: Released = { of: 'volumes', gone: [], kept: [], left: [] };

  it('what nobody could be asked about is left and why, unless the provider finds all of its kind by tags', async () => {
    const provider = new FakeProvider();
    const input = { expected: [], wasServing: true };
    expect(await teardownProve.observe(provider.context(), input)).toMatchObject({
      state: 'done',
      facts: {
        gone: [],
        left: [
          { type: 'load balancer', why: expect.stringContaining('its API did not answer') },
          { type: 'volume', why: expect.stringContaining('look for it at the provider (ec2)') },
        ],
      },
    });
    provider.covers = ['balancers', 'volumes'];
    expect(await teardownProve.observe(provider.context(), input)).toMatchObject({ facts: { left: [] } });
  });

  it('a cluster that never served has made nothing: half-built ones are proven gone without its API', async () => {
    const provider = new FakeProvider();
    expect(await teardownProve.observe(provider.context(), { expected: [] })).toMatchObject({
      facts: { left: [] },
    });
  });

  it('what was not waited for is left; where the ledger would show it and does not, it is gone', async () => {
    const provider = new FakeProvider();
    const input = { expected: [], wasServing: true, released: [skipped, none] };
    expect(await teardownProve.observe(provider.context(), input)).toMatchObject({
      facts: { gone: [], left: [{ id: 'uid-web', why: 'held by its finalizer' }] },
    });
    provider.covers = ['balancers'];
    expect(await teardownProve.observe(provider.context(), input)).toMatchObject({
      facts: { gone: [balancer], left: [] },
    });
  });

  it('what this operation found out stands for what an earlier one did', async () => {
    const provider = new FakeProvider();
    const later = { ...skipped, left: [], gone: [balancer] };
    const input = { expected: [], released: [skipped, later] };
    expect(await teardownProve.observe(provider.context(), input)).toMatchObject({
      facts: { gone: [balancer], left: [] },
    });
  });
});
