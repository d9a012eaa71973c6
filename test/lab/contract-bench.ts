import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import ssh2 from 'ssh2';
import { drawClusterKeys } from '../../appliance/agent/pki.ts';
import { createPorts, type RealPorts } from '../../appliance/agent/ports.ts';
import { PayloadSupply } from '../../appliance/agent/payload-supply.ts';
import type { ClusterContext } from '../../appliance/agent/protocol/dispatch.ts';
import { drawIdentity, recipientOf, seal } from '../../appliance/agent/sealing.ts';
import type { Work } from '../../appliance/agent/work.ts';
import type { ClusterIdentity, MachineRef } from '../../provisioners/contract/machine.ts';
import type { ClusterKeys } from '../../provisioners/contract/secrets.ts';
import { LabProvider, labSettings } from '../../provisioners/infrastructure/lab/provider.ts';
import { payloadCache } from '../../provisioners/payload/cache.ts';
import { localTrust } from '../../provisioners/payload/signature.ts';
import type { Bench, WorkOf } from '../contract/bench.ts';

/** One real lab host and the real ports to it. */
export interface LabBench extends Bench {
  readonly machines: readonly MachineRef[];
  readonly keys: ClusterKeys;
  readonly context: ClusterContext;
  readonly identity: string;
  /** What the ports remember of streams, as the agent's store does over restarts. */
  readonly offsets: Map<string, number>;
  readonly provider: LabProvider;
}

/** Boots hosts in a lab of their own, the first is the bench's machine; needs root and the lab's root image. */
export async function bootLabBench(names: readonly string[] = ['m1']): Promise<LabBench> {
  const folder = mkdtempSync('/var/tmp/remuda-contract-');
  const provider = new LabProvider(await labSettings({ labDirectory: join(folder, 'lab') }));
  const cluster = { uid: `contract-${process.pid}-${Date.now()}`, name: `contract-${process.pid}` };
  const signal = new AbortController().signal;
  const keys = await drawClusterKeys(cluster.name);
  const identity = await drawIdentity();
  const sealFor = async (text: string) => seal([await recipientOf(identity)], text);
  const context: ClusterContext = {
    cluster,
    provider: { name: 'lab', type: 'lab', config: {} },
    keys: await sealFor(JSON.stringify(keys)),
    secrets: { dc1: await sealFor(JSON.stringify({ password: 'hunter2-of-dc1' })) },
  };
  const sweep = async (): Promise<void> => {
    const { left } = await provider.sweep(cluster, signal);
    rmSync(folder, { recursive: true, force: true });
    if (left.length > 0) throw new Error(`the lab left something behind: ${JSON.stringify(left)}`);
  };
  const machines = await makeMachines(provider, cluster, names, keys.sshPublicKey).catch(
    async (error: unknown) => {
      await sweep();
      throw error;
    },
  );
  const [machine] = machines;
  if (machine === undefined) throw new Error('a bench needs a machine');
  const strange = ssh2.utils.generateKeyPairSync('ed25519').public;
  const lines: string[] = [];
  const offsets = new Map<string, number>();
  const opened: RealPorts[] = [];
  const bench: LabBench = {
    machine,
    machines,
    // The lab's last address but one is given to nobody.
    absent: { ...machine, name: 'absent', address: machine.address.replace(/\d+$/u, '253') },
    impostor: { ...machine, hostKeys: [strange] },
    keys,
    context,
    identity,
    offsets,
    provider,
    lines: () => lines,
    ports: (work: WorkOf = {}) => {
      const cache = payloadCache();
      const real = createPorts({
        identity,
        providers: new Map([['lab', () => provider]]),
        stateFolder: folder,
        supply: new PayloadSupply({
          cache,
          trusted: () => localTrust(cache.signingKey),
          stateFolder: folder,
        }),
      });
      opened.push(real);
      return real.ports(workFor(context, work, lines, offsets));
    },
    stop: async () => {
      await Promise.all(opened.map((each) => each.stop()));
      await sweep();
    },
  };
  return ready(bench);
}

async function makeMachines(
  provider: LabProvider,
  cluster: ClusterIdentity,
  names: readonly string[],
  authorizedKey: string,
): Promise<MachineRef[]> {
  const { signal } = new AbortController();
  await provider.infrastructure.prepare(cluster, undefined, signal);
  const machines: MachineRef[] = [];
  for (const name of names) {
    const made = await provider.machines.create(
      {
        cluster,
        name,
        role: 'control-plane',
        incarnation: 1,
        token: `${cluster.uid}-${name}`,
        shape: { cpus: 2, memory: 2 ** 31, disks: [] },
        authorizedKey,
        labels: {},
      },
      signal,
    );
    const hostKeys = [made.provisionalHostKey ?? ''];
    machines.push({ name, address: made.address ?? '', port: 22, user: 'root', hostKeys });
  }
  return machines;
}

/** A machine is there before its sshd is. */
async function ready(bench: LabBench): Promise<LabBench> {
  for (let tries = 0; ; tries += 1) {
    try {
      for (const each of bench.machines) await bench.ports().host.reach(each);
      return bench;
    } catch (error) {
      if (tries > 40) throw error;
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }
}

function workFor(context: ClusterContext, of: WorkOf, lines: string[], offsets: Map<string, number>): Work {
  const key = { operation: of.operation ?? 'op', step: of.step ?? 'contract/m1', attempt: of.attempt ?? 1 };
  const nameOf = (stream: string): string => `${key.operation} ${key.step} ${stream}`;
  return {
    key,
    epoch: of.epoch ?? 7,
    context,
    signal: new AbortController().signal,
    log: (text) => lines.push(text),
    hide: () => {},
    output: (stream, more, offset) => {
      lines.push(...more);
      offsets.set(nameOf(stream), offset);
    },
    outputOffset: (stream) => offsets.get(nameOf(stream)) ?? 0,
  };
}
