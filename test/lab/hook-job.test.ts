import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../appliance/agent/clock.ts';
import type { KubernetesObject } from '../../provisioners/contract/ports/kubernetes.ts';
import type { Ports } from '../../provisioners/contract/ports.ts';
import { hookRunAsJob } from '../../provisioners/kubernetes/steps/hook-run-as-job.ts';
import { startStep } from '../fleet/running-step.ts';
import { LoopbackCluster } from './loopback-cluster.ts';

/* Jobs of hooks against a real API server and controller-manager of the lab's payload; the test ends their pods itself. */
describe('a hook as a Job, against a real control plane (V10)', () => {
  const cluster = new LoopbackCluster();
  beforeAll(() => cluster.start());
  afterAll(() => cluster.stop());

  const run = (hook: string, attempt: number, timeout = 300_000) =>
    startStep({
      steps: [hookRunAsJob],
      kind: hookRunAsJob.kind,
      input: {
        occasion: { hook, at: 'afterDrain', reason: 'upgrade', machine: 'demo-general-1' },
        timeout,
        onFailure: 'stop',
        isDisturbing: false,
        access: cluster.access,
        image: 'registry.example/smoke:3',
        command: ['/bin/smoke', '--quick'],
        namespace: 'default',
      },
      cluster: { uid: 'u1', name: 'demo' },
      operation: `op-${hook}`,
      attempt,
      clock: systemClock,
      // The step uses no other port.
      ports: () => ({ kubernetes: cluster.kubernetes }) as Ports,
    });

  const list = (kind: 'Job' | 'Pod', hook: string): Promise<KubernetesObject[]> =>
    cluster.kubernetes.list(cluster.access, {
      apiVersion: kind === 'Job' ? 'batch/v1' : 'v1',
      kind,
      namespace: 'default',
      labelSelector: `remuda.dev/hook=${hook}`,
    });

  /** Ends the pod that is there and has not ended. */
  async function end(hook: string, phase: 'Succeeded' | 'Failed'): Promise<void> {
    const isOpen = ({ status }: KubernetesObject): boolean =>
      (status as { phase?: string } | undefined)?.phase === 'Pending';
    await expect.poll(async () => (await list('Pod', hook)).filter(isOpen).length).toBe(1);
    const pod = (await list('Pod', hook)).find(isOpen);
    await cluster.patchStatus(`namespaces/default/pods/${pod?.metadata.name ?? ''}`, { phase });
  }

  it('is made once, whoever begins it anew, and told to its pod; its end is the end of the step', async () => {
    const first = run('once', 1);
    await expect.poll(async () => (await list('Pod', 'once')).length).toBe(1);
    // Another agent process at the same attempt.
    const second = run('once', 1);
    await end('once', 'Succeeded');
    expect(await first.ended).toMatchObject({ state: 'succeeded' });
    expect(await second.ended).toMatchObject({ state: 'succeeded' });
    expect(await list('Job', 'once')).toHaveLength(1);
    const [pod] = await list('Pod', 'once');
    expect(JSON.stringify(pod?.['spec'])).toContain('{"name":"REMUDA_MACHINE","value":"demo-general-1"}');
    expect(pod?.['spec']).toMatchObject({ automountServiceAccountToken: false, restartPolicy: 'Never' });
  });

  it('fails once, and is run again by a new attempt only', async () => {
    const first = run('twice', 1);
    await end('twice', 'Failed');
    expect(await first.ended).toMatchObject({ state: 'failed', problem: { code: 'HOOK-001' } });
    expect(await list('Job', 'twice')).toHaveLength(1);
    const second = run('twice', 2);
    await end('twice', 'Succeeded');
    expect(await second.ended).toMatchObject({ state: 'succeeded' });
    expect(await list('Job', 'twice')).toHaveLength(2);
  });

  it('is ended by Kubernetes when its time is over', async () => {
    expect(await run('late', 1, 2000).ended).toMatchObject({
      state: 'failed',
      problem: { code: 'HOOK-002' },
    });
  });
});
