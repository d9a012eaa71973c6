import { describe, expect, test } from 'vitest';
import { HostKeys } from '../../../appliance/agent/host-keys.ts';
import { visitMachine } from '../../../appliance/agent/visits.ts';
import { fingerprintOf } from '../../../provisioners/contract/host-key.ts';
import type { Ports } from '../../../provisioners/contract/ports.ts';
import { Transient } from '../../../provisioners/contract/problem.ts';

const own = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl';
const other = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA';
const door = { name: 'c-etcd-1', address: '10.0.0.9' };
const login = { port: 22, user: 'root' };

/** A machine that shows its own host key, and whoever logged in to it. A fake: it answers nothing else. */
function fakeMachine(isOn = true) {
  const logins: string[] = [];
  const host: Partial<Ports['host']> = {
    hostKeyAt: async () => own,
    reach: async ({ name, hostKeys }) => {
      if (!isOn) throw new Transient('SSH-001', `${name} does not answer`);
      logins.push(`${name} ${hostKeys.join()}`);
    },
  };
  // Whoever asks the fake for more than it has fails the test by name.
  return { logins, ports: { host: host as Ports['host'] } };
}

describe('visits to machines of others (H23)', () => {
  test('one that shows another host key than the given one is not logged in to', async () => {
    const { logins, ports } = fakeMachine();
    const visit = await visitMachine(ports, door, login, new HostKeys({ knownHosts: `10.0.0.9 ${other}` }));
    expect(logins).toEqual([]);
    expect(visit).toEqual({
      ...door,
      hostKey: { shown: fingerprintOf(own), given: [fingerprintOf(other)] },
      why: `it shows the host key ${fingerprintOf(own)}`,
    });
  });

  test('one that shows the given key, by address or by name, is logged in to with that key alone', async () => {
    for (const names of ['10.0.0.9', 'c-etcd-1']) {
      const { logins, ports } = fakeMachine();
      const visit = await visitMachine(ports, door, login, new HostKeys({ knownHosts: `${names} ${own}` }));
      expect(logins).toEqual([`c-etcd-1 ${own}`]);
      expect(visit.reference).toEqual({ ...door, ...login, hostKeys: [own] });
    }
  });

  test('one that does not let us in is told with the reason', async () => {
    const { ports } = fakeMachine(false);
    expect(await visitMachine(ports, door, login, new HostKeys({}))).toEqual({
      ...door,
      why: 'c-etcd-1 does not answer',
    });
  });
});
