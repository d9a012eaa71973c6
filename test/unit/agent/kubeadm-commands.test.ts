import { describe, expect, it } from 'vitest';
import { createKubeadmPort } from '../../../appliance/agent/adapters/kubeadm.ts';
import type { KubeadmCommand } from '../../../provisioners/contract/ports/kubeadm.ts';

const machine = { name: 'demo-cp-1', address: '10.0.0.11', port: 22, user: 'root', hostKeys: [] };

/** The command line that a machine is given to run, and what a person reads of it. */
async function lineOf(command: KubeadmCommand): Promise<{ readonly title: string; readonly text: string }> {
  const given: { readonly title: string; readonly text: string }[] = [];
  const port = createKubeadmPort({
    observe: () => Promise.reject(new Error('nobody looks')),
    run: async (_machine, { title, text }) => {
      given.push({ title, text });
    },
  });
  await port.run(machine, command);
  const [only, ...more] = given;
  if (only === undefined || more.length > 0) throw new Error(`${given.length} commands`);
  // Words are quoted for the shell.
  return { title: only.title.replaceAll("'", ''), text: only.text.replaceAll("'", '') };
}

describe('what kubeadm is told (C3, H12)', () => {
  const upgrade = { verb: 'upgrade', kubernetesVersion: 'v1.20.3', ignorePreflightErrors: [] } as const;

  it('an upgrade makes certificates anew as kubeadm does, and none while authorities are rotated', async () => {
    expect((await lineOf(upgrade)).text).toMatch(/^exec \S*kubeadm\S* upgrade node\n$/);
    const { title, text } = await lineOf({ ...upgrade, keepsCertificates: true });
    // By kubeadm 1.20.2 itself: "--certificate-renewal  Perform the renewal of certificates … (default true)".
    expect(title).toMatch(/upgrade node --certificate-renewal=false$/);
    expect(text).toBe(`exec ${title}\n`);
  });

  it("a reset leaves etcd's members alone, and phases run one after the other, none after one that failed", async () => {
    expect((await lineOf({ verb: 'reset' })).text).toContain('--skip-phases=remove-etcd-member');
    const phases = ['certs etcd-server', 'etcd local'];
    const { text } = await lineOf({ verb: 'phases', config: '/etc/kubernetes/remuda/etcd.yaml', phases });
    expect(text.split('\n').slice(0, 2)).toEqual([
      'kubeadm init phase certs etcd-server --config=/etc/kubernetes/remuda/etcd.yaml || exit',
      'exec kubeadm init phase etcd local --config=/etc/kubernetes/remuda/etcd.yaml',
    ]);
  });
});
