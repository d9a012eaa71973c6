import { describe, expect, it } from 'vitest';
import { paths } from '../../../provisioners/kubernetes/paths.ts';
import { containerdStart } from '../../../provisioners/kubernetes/steps/containerd-start.ts';
import { kubeletInstall } from '../../../provisioners/kubernetes/steps/kubelet-install.ts';
import { FakeWorld, machineNamed } from './fake-context.ts';

const input = { machine: machineNamed('c-w-1'), kubernetesVersion: 'v1.20.2' };
const done = { state: 'done', facts: {} };

/** What the steps do to a machine, in order. */
async function callsOf(world: FakeWorld, ...steps: readonly (typeof kubeletInstall)[]): Promise<string[]> {
  world.calls = [];
  const context = world.context();
  for (const step of steps) {
    await step.apply(context, input);
    expect(await step.observe(context, input)).toEqual(done);
  }
  return world.calls;
}

describe('containerd.start', () => {
  it('only starts containerd where kubelet.install has laid out its files', async () => {
    const world = new FakeWorld();
    expect(await callsOf(world, kubeletInstall)).toContain(`write ${paths.containerdConfig}`);
    expect(await containerdStart.observe(world.context(), input)).toMatchObject({ state: 'todo' });
    expect(await callsOf(world, containerdStart)).toEqual([
      'start containerd.service',
      `write ${paths.applied}/containerd`,
    ]);
  });

  it('lays them out itself where nobody has, or somebody has changed them', async () => {
    const world = new FakeWorld();
    const calls = await callsOf(world, containerdStart);
    expect(calls.slice(0, 2)).toEqual([`write ${paths.containerdConfig}`, `write ${paths.containerdUnit}`]);
    world.files.set(paths.containerdConfig, { path: paths.containerdConfig, content: 'x', mode: 0o644 });
    expect(await callsOf(world, containerdStart)).toEqual([
      `write ${paths.containerdConfig}`,
      'start containerd.service',
      'restart containerd.service',
      `write ${paths.applied}/containerd`,
    ]);
  });

  it('restarts a containerd that runs with other files than those laid out meanwhile', async () => {
    const world = new FakeWorld();
    await callsOf(world, kubeletInstall, containerdStart);
    const mark = `${paths.applied}/containerd`;
    world.files.set(mark, { path: mark, content: 'of other files', mode: 0o600 });
    expect(await containerdStart.observe(world.context(), input)).toMatchObject({ state: 'todo' });
    expect(await callsOf(world, containerdStart)).toContain('restart containerd.service');
  });
});

describe('kubelet.install', () => {
  it('never restarts a kubelet for the sake of containerd’s files', async () => {
    const world = new FakeWorld();
    await callsOf(world, kubeletInstall);
    world.files.delete(paths.containerdConfig);
    expect(await kubeletInstall.observe(world.context(), input)).toMatchObject({ state: 'todo' });
    expect(await callsOf(world, kubeletInstall)).toEqual([
      `write ${paths.containerdConfig}`,
      'start kubelet.service',
    ]);
  });

  it('restarts a kubelet whose own unit was another', async () => {
    const world = new FakeWorld();
    await callsOf(world, kubeletInstall);
    world.files.set(paths.kubeletUnit, { path: paths.kubeletUnit, content: 'x', mode: 0o644 });
    expect(await callsOf(world, kubeletInstall)).toContain('restart kubelet.service');
  });

  it('has systemd make the folder of static pods on every machine, as kubeadm does on masters', async () => {
    const world = new FakeWorld();
    await callsOf(world, kubeletInstall);
    const { content } = world.files.get(paths.kubeletUnit) ?? { content: '' };
    expect(content).toMatch(/^ConfigurationDirectory=kubernetes\/manifests$/mu);
    expect(content).toMatch(/^ConfigurationDirectoryMode=0700$/mu);
  });
});
