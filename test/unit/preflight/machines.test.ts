import { describe, expect, it } from 'vitest';
import type { MachineRef } from '../../../provisioners/contract/machine.ts';
import { Transient } from '../../../provisioners/contract/problem.ts';
import type { StepContext } from '../../../provisioners/contract/step.ts';
import { machinesPreflight } from '../../../provisioners/kubernetes/preflight/machines-preflight.ts';
import { machineNamed } from '../kubernetes/fake-context.ts';
import { settings } from '../kubernetes/fake-settings.ts';

const first = machineNamed('c-cp-1', '10.0.0.11');
const one = machineNamed('c-w-1', '10.0.0.21');
const other = machineNamed('c-w-2', '10.0.0.22');

/** Machines that answer unless they are unplugged, and reach each other unless they are cut off. A fake. */
class Network {
  readonly unplugged = new Set<string>();
  /** Addresses that nobody reaches. */
  readonly cutOff = new Set<string>();
  readonly answering = new Set<string>();
  readonly machineIds = new Map<string, string>();
  readonly logs: string[] = [];

  context(): StepContext {
    const answer = (machine: MachineRef): void => {
      if (this.unplugged.has(machine.name)) throw new Transient('SSH-004', `No answer from ${machine.name}.`);
    };
    const known = new Set([first, one, other].map(({ address }) => address));
    const parts: Partial<Record<keyof StepContext, unknown>> = {
      cluster: { uid: 'uid-1', name: 'c' },
      host: {
        facts: async (machine: MachineRef) => {
          answer(machine);
          const machineId = this.machineIds.get(machine.name) ?? `id of ${machine.name}`;
          const clock = { clock: 1_000_000, clockUncertainty: 0 };
          return { machineId, ...clock, addresses: [], cgroupVersion: 1, declared: {} };
        },
        probe: async (machine: MachineRef, addresses: readonly string[]) => {
          answer(machine);
          return addresses.map((to) => {
            const reachable = (known.has(to) || this.answering.has(to)) && !this.cutOff.has(to);
            return { to, reachable, mtu: reachable ? 1500 : 0 };
          });
        },
      },
      log: (text: string) => this.logs.push(text),
    };
    // The step uses these ports and no others.
    return parts as StepContext;
  }

  look(machine: MachineRef, masters: readonly MachineRef[] = [first]) {
    const others = [one, other].filter(({ name }) => name !== machine.name);
    const input = { machine, others, masters: [...masters], settings, bypass: [] };
    return machinesPreflight.observe(this.context(), input);
  }
}

describe('machines.preflight: each new machine against the others', () => {
  it('passes against whoever answers, and says with whom it was not compared (complaint 1)', async () => {
    const network = new Network();
    network.unplugged.add('c-w-2');
    network.cutOff.add(other.address);
    const seen = await network.look(one);
    expect(seen.state).toBe('done');
    expect(JSON.stringify(seen)).toContain('without c-w-2: no answer');
    expect(network.logs.join()).toContain('not compared with c-w-2');
  });

  it('compares the silent one when it is back: its own check refuses it', async () => {
    const network = new Network();
    network.machineIds.set('c-w-1', 'cloned').set('c-w-2', 'cloned');
    network.unplugged.add('c-w-2');
    expect((await network.look(one)).state).toBe('done');
    await expect(network.look(other)).rejects.toThrow('No answer from c-w-2');
    network.unplugged.clear();
    const seen = await network.look(other);
    expect(seen).toMatchObject({ state: 'blocked', what: 'NET-UNIQUE to pass' });
    expect(JSON.stringify(seen)).toContain('c-w-2, c-w-1 share the machine id cloned');
  });

  it('refuses a machine that does not reach one that answers', async () => {
    const network = new Network();
    network.cutOff.add(other.address);
    const seen = await network.look(one);
    expect(seen).toMatchObject({ state: 'blocked', what: 'NET-REACH to pass' });
    expect(JSON.stringify(seen)).toContain('c-w-1 does not reach c-w-2');
  });

  it('wants the endpoint’s address free where the first master starts, and nowhere else', async () => {
    const network = new Network();
    network.answering.add(settings.endpoint.host);
    expect(await network.look(first, [])).toMatchObject({ state: 'blocked', what: 'NET-VIP to pass' });
    expect((await network.look(one)).state).toBe('done');
  });
});
