import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Decrypter } from 'age-encryption';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AttemptRunner } from '../../../appliance/agent/attempts.ts';
import { systemClock } from '../../../appliance/agent/clock.ts';
import type { Outcome } from '../../../appliance/agent/protocol/dispatch.ts';
import { drawIdentity, open, recipientOf, seal } from '../../../appliance/agent/sealing.ts';
import { AttemptStore } from '../../../appliance/agent/store.ts';
import type { Json } from '../../../provisioners/contract/json.ts';
import type { MachineRef } from '../../../provisioners/contract/machine.ts';
import type { Ports } from '../../../provisioners/contract/ports.ts';
import { clusterKeysSchema } from '../../../provisioners/contract/secrets.ts';
import { etcdSnapshot } from '../../../provisioners/kubernetes/steps/etcd-snapshot.ts';
import { dispatchOf, outcomeOf } from '../../unit/agent/bench.ts';
import { EtcdCluster } from './etcd-cluster.ts';
import { realPort } from './port.ts';

let folder: string;
let etcd: EtcdCluster | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'remuda-whole-way-'));
});
afterEach(async () => {
  await etcd?.processes.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** The step as an agent runs it: real runner, real etcd, real backup port. */
async function backUp(
  cluster: EtcdCluster,
  identity: string,
  recovery: string,
): Promise<Extract<Outcome, { state: 'succeeded' }>> {
  const recipients = [await recipientOf(recovery)];
  const keys = await seal([await recipientOf(identity), ...recipients], JSON.stringify(cluster.keys));
  const backup = await realPort({ identity, stateFolder: folder, keys });
  const runner = new AttemptRunner({
    steps: new Map([[etcdSnapshot.kind, etcdSnapshot]]),
    store: new AttemptStore(':memory:'),
    clock: systemClock,
    epoch: 1,
    // The step uses these two; any other that is touched throws.
    ports: () => ({ etcd: cluster.adapter(), backup }) as Partial<Ports> as Ports,
  });
  const input = {
    access: cluster.access,
    destination: { type: 'stateDisk' },
    kubernetesVersion: 'v1.20.2',
    recipients,
  };
  runner.dispatch(
    dispatchOf({
      key: { operation: 'op-1', step: 'etcd.snapshot', attempt: 1 },
      kind: 'etcd.snapshot',
      version: 1,
      input: JSON.parse(JSON.stringify(input)) as Json,
    }),
  );
  const reports = () => runner.reports(0, 100_000);
  await expect.poll(() => reports().some(({ type }) => type === 'ended')).toBe(true);
  const outcome = await outcomeOf(reports);
  if (outcome.state !== 'succeeded') throw new Error(JSON.stringify(outcome));
  return outcome;
}

describe('a backup, from etcd to etcd (complaint 8)', () => {
  it('opens without Remuda: age with the recovery key, tar, etcdctl; every acknowledged write and all keys are in it', async () => {
    etcd = await EtcdCluster.start(['m1', 'm2', 'm3'], 170);
    const written = new Map<string, string>();
    for (let count = 0; count < 90; count += 1) {
      const machine = etcd.machines[count % 3] as MachineRef;
      await etcd.put(machine, `kept/${count}`, `value ${count}`.repeat(500));
      written.set(`kept/${count}`, `value ${count}`.repeat(500));
    }
    const recovery = await drawIdentity();
    const { facts } = await backUp(etcd, await drawIdentity(), recovery);

    const kept = join(folder, 'backups/u1');
    const [, file = ''] = readdirSync(kept).sort();
    expect(readdirSync(kept)).toHaveLength(2);
    expect(facts).toMatchObject({ id: file.replace('.tar.age', '') });
    const decrypter = new Decrypter();
    decrypter.addIdentity(recovery);
    writeFileSync(join(folder, 'b.tar'), await decrypter.decrypt(readFileSync(join(kept, file))));
    execFileSync('tar', ['-xf', join(folder, 'b.tar'), '-C', folder]);

    const sealed = readFileSync(join(folder, 'keys.age'), 'utf8');
    const keys = clusterKeysSchema.parse(JSON.parse(await open(recovery, sealed, 'the keys')));
    expect(keys).toEqual(etcd.keys);

    const restored = await etcd.processes.place('r1');
    etcd.processes.restore('r1', join(folder, 'snapshot.db'));
    etcd.processes.start('r1', 'existing', { r1: etcd.processes.peerURL('r1') });
    await etcd.settled(1, { masters: [restored], apiPort: 6443 });
    expect(await etcd.keysAt(restored, 'kept/')).toEqual(written);
  });
});
