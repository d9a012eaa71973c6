import { describe, expect, test } from 'vitest';
import { readOnly } from '../../../appliance/agent/read-only.ts';
import { Door } from '../../fleet/ports/door.ts';
import { fakeSecrets, fleetPorts } from '../../fleet/ports/ports.ts';

const called: string[] = [];
const door = new Door({
  by: { operation: '-', step: '-', attempt: 0, epoch: 1 },
  sleep: async () => undefined,
  carry: async (name) => {
    called.push(name);
    throw new Error('carried');
  },
});
const ports = fleetPorts(door, fakeSecrets());
const guarded = readOnly(ports);

/** Every call of the ports, by its path: `file.write`, `provider.machines.create`. */
function callsOf(port: object, path: string): string[] {
  return Object.entries(port).flatMap(([name, value]) => {
    if (typeof value === 'function') return [`${path}${name}`];
    return typeof value === 'object' && value !== null ? callsOf(value, `${path}${name}.`) : [];
  });
}

function callAt(path: string): (...given: readonly unknown[]) => unknown {
  let found: unknown = guarded;
  for (const name of path.split('.')) found = (found as Record<string, unknown>)[name];
  return found as (...given: readonly unknown[]) => unknown;
}

/** Words that a call which changes something begins with, anywhere in the contract. */
const changing =
  /\.(write|remove|start|restart|stop|install|run|apply|evict|delete|set|decide|move|create|power|destroy|prepare|sweep|take|configure|generate|replace|place|restore|snapshot)/;

describe('looking changes nothing (drift)', () => {
  test('whatever may change something throws before anything is called', () => {
    const dangerous = callsOf(ports, '').filter((path) =>
      changing.test(`.${path.split('.').slice(1).join('.')}`),
    );
    expect(dangerous.length).toBeGreaterThan(25);
    for (const path of dangerous) expect(() => callAt(path)(), path).toThrow(/looking must change nothing/);
    expect(called).toEqual([]);
  });

  test('looking itself goes through', async () => {
    const machine = { name: 'm', address: '10.0.0.1', port: 22, user: 'root', hostKeys: ['k'] };
    await expect(guarded.file.read(machine, '/etc/hosts')).rejects.toThrow('carried');
    await expect(guarded.provider.machines.list({ uid: 'u', name: 'c' })).rejects.toThrow('carried');
    expect(called).toHaveLength(2);
  });
});
