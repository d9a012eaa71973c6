import { describe, expect, it } from 'vitest';
import { ownHostKeyPath } from '../../../provisioners/contract/ports/host.ts';
import { Blocked } from '../../../provisioners/contract/problem.ts';
import type { StepContext } from '../../../provisioners/contract/step.ts';
import { paths } from '../../../provisioners/kubernetes/paths.ts';
import { hostKeyGenerate } from '../../../provisioners/kubernetes/steps/host-key-generate.ts';
import { machineConfigure } from '../../../provisioners/kubernetes/steps/machine-configure.ts';
import { FakeWorld, machineNamed } from './fake-context.ts';

const machine = machineNamed('c-cp-1');

describe('host-key.generate', () => {
  it('learns the key in one visit, and accepts it beside those known', async () => {
    const world = new FakeWorld();
    // The fake's host port knows no reach: another visit would fail.
    const context = world.context();
    expect(await hostKeyGenerate.observe(context, { machine })).toMatchObject({ state: 'todo' });
    const path = `${ownHostKeyPath}.pub`;
    world.files.set(path, { path, content: 'ssh-ed25519 NEW remuda\n', mode: 0o644 });
    expect(await hostKeyGenerate.observe(context, { machine })).toEqual({
      state: 'done',
      facts: {
        publicKey: 'ssh-ed25519 NEW',
        reference: { ...machine, hostKeys: ['ssh-ed25519 OWN', 'ssh-ed25519 NEW'] },
      },
    });
  });

  it('is unknown, not to do, where somebody shows another host key', async () => {
    const context = new FakeWorld().context();
    const other = new Blocked('SSH-002', 'another host key', { remedy: 'do not go on' });
    const file = { ...context.file, read: () => Promise.reject(other) };
    await expect(hostKeyGenerate.observe({ ...context, file }, { machine })).rejects.toBe(other);
  });
});

describe('machine.configure', () => {
  it('writes whose machine it is while it configures, and ends when both are done', async () => {
    const world = new FakeWorld();
    const ground = world.context();
    const begun = { configure: Promise.withResolvers<void>(), write: Promise.withResolvers<void>() };
    const host = {
      configure: async () => {
        begun.configure.resolve();
        await begun.write.promise;
        return ['the host name is c-cp-1'];
      },
    };
    const file = {
      ...ground.file,
      write: async (...given: Parameters<typeof ground.file.write>) => {
        begun.write.resolve();
        await begun.configure.promise;
        await ground.file.write(...given);
      },
    };
    const parts: Partial<Record<keyof StepContext, unknown>> = { ...ground, host, file };
    await machineConfigure.apply(parts as StepContext, { machine, role: 'control-plane' });
    expect(world.files.get(paths.owner)?.content).toBe('uid-1\n');
    expect(world.logs).toEqual(['the host name is c-cp-1']);
  });
});
