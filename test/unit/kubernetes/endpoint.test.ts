import { describe, expect, it } from 'vitest';
import {
  haproxyConfig,
  isVirtualAddress,
  keepalivedConfig,
  routerId,
} from '../../../provisioners/kubernetes/endpoint-config.ts';
import { paths } from '../../../provisioners/kubernetes/paths.ts';
import { endpointConfigure } from '../../../provisioners/kubernetes/steps/endpoint-configure.ts';
import { FakeWorld, fakeKeys, machineNamed } from './fake-context.ts';

const masters = [1, 2, 3].map((number) => ({ name: `c-cp-${number}`, address: `10.0.0.1${number}` }));
const input = {
  machine: machineNamed('c-cp-1'),
  masters,
  endpoint: { host: '10.0.0.100', port: 6443 },
  apiPort: 6444,
};
const network = { interface: 'eth0', prefix: 24 };

/** A world whose machine has one card. */
function worldWith(cidr: string): FakeWorld {
  const world = new FakeWorld();
  world.facts = { addresses: [{ interface: 'eth0', cidr, mtu: 1500 }] };
  return world;
}

describe('endpoint.configure (H10)', () => {
  it('asks every master for /readyz, so that stale and future entries are harmless', () => {
    const text = haproxyConfig({ ...input, network });
    expect(text).toContain('option httpchk GET /readyz');
    for (const { name, address } of masters) expect(text).toContain(`server ${name} ${address}:6444`);
    expect(text).toContain('bind 10.0.0.100:6443');
  });

  it('gives a master that is busy longer to answer a check than one that is gone to take the line', () => {
    const text = haproxyConfig({ ...input, network });
    const secondsOf = (name: string): number =>
      Number(new RegExp(`timeout ${name} (\\d+)s`).exec(text)?.[1] ?? Number.NaN);
    const every = Number(/inter (\d+)s/.exec(text)?.[1] ?? Number.NaN);
    // Without it haproxy takes the shorter of connect and inter for the whole check (configuration.txt: timeout check).
    expect(secondsOf('check')).toBeGreaterThan(secondsOf('connect') + every);
    // A master that does not answer is out within two checks: longer, and its clients wait for nothing.
    expect(2 * (secondsOf('check') + every)).toBeLessThanOrEqual(10);
    expect(text).toContain('fall 2');
  });

  it('gives the address up where the API server is not ready while another one is', () => {
    const text = haproxyConfig({ ...input, network });
    expect(text).toContain('acl is_ready srv_is_up(masters/c-cp-1)');
    expect(text).toContain('monitor fail if is_any_ready !is_ready');
    expect(text).toMatch(/bind 127\.0\.0\.1:6445/);
  });

  it('never takes the address back, speaks to its peers alone, and puts it on the card of its own address', () => {
    const text = keepalivedConfig({ ...input, network }, fakeKeys.vrrpPassword);
    expect(text).toContain('nopreempt');
    expect(text).toContain('interface eth0');
    expect(text).toContain('10.0.0.100/24');
    expect(text).toMatch(/unicast_peer \{\n {4}10\.0\.0\.12\n {4}10\.0\.0\.13\n {2}\}/);
    expect(text).not.toMatch(/unicast_peer \{\n {4}10\.0\.0\.11/);
  });

  it('takes its router id from the address: 1 to 255, equal for equal addresses', () => {
    expect(routerId('10.0.0.100')).toBe(100);
    expect(routerId('10.0.4.0')).toBe(255);
  });

  it('knows an address of ours from a name of somebody else’s balancer', () => {
    expect(isVirtualAddress('10.0.0.100')).toBe(true);
    expect(isVirtualAddress('api.example')).toBe(false);
  });

  it('is blocked when no card holds the machine’s address, and says which', async () => {
    const context = worldWith('10.9.9.9/24').context();
    await expect(endpointConfigure.observe(context, input)).rejects.toThrow('10.0.0.11');
  });

  it('restarts after a crash between the files and the restart (complaint 3)', async () => {
    const context = worldWith('10.0.0.11/24').context();
    await endpointConfigure.apply(context, input);
    expect(await endpointConfigure.observe(context, input)).toEqual({ state: 'done', facts: {} });
    await context.file.remove(input.machine, [`${paths.applied}/endpoint`]);
    expect(await endpointConfigure.observe(context, input)).toMatchObject({ state: 'todo' });
  });

  it('keeps the password for root alone', async () => {
    const context = worldWith('10.0.0.11/24').context();
    await endpointConfigure.apply(context, input);
    const [differing] = await context.file.differ(input.machine, [
      { path: paths.keepalived, content: 'other', mode: 0o600 },
    ]);
    expect(differing).toBeDefined();
    expect(await context.file.read(input.machine, paths.keepalived)).toContain(fakeKeys.vrrpPassword);
    expect(await context.file.read(input.machine, paths.haproxy)).not.toContain(fakeKeys.vrrpPassword);
  });
});
