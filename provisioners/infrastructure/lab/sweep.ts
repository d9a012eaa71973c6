import type { LedgerEntry, TeardownProof } from '../../contract/provider.ts';
import { withBoxLock } from './claim.ts';
import { listLabs, readLab, type LabSettings } from './infrastructure.ts';
import { withLock } from './lock.ts';
import { placesOf } from './places.ts';
import { LabProvider } from './provider.ts';
import { findStrays, listTraces, removeTraces, tidyBox } from './traces.ts';

/**
 * Looks over the whole box for what crashes left: labs whose making or removing was cut off, machines half-made or
 * half-destroyed, and things labelled as a lab's whose lab has no record any more. Labs that are whole stay, unless
 * `every` is set; labs that were ejected stay unless `ejected` is set too. Labs of other state folders stay in any case.
 */
export async function sweepBox(
  settings: LabSettings,
  every: boolean,
  signal: AbortSignal,
  ejected = false,
): Promise<TeardownProof> {
  const provider = new LabProvider(settings);
  const gone: LedgerEntry[] = [];
  const kept: TeardownProof['kept'][number][] = [];
  const left: TeardownProof['left'][number][] = [];
  for (const { cluster, isReleased } of await listLabs(settings)) {
    // Who asks for those as well has been told that they live on without us.
    if (ejected && isReleased === true) await provider.ownership.claim(cluster);
    const lab = placesOf(settings.labDirectory, cluster);
    // Whoever is at work on it holds the lock; what is still half-made afterwards was left by the dead.
    const record = await withLock(lab.lock, signal, () => readLab(lab));
    if (every || record?.state !== 'present') {
      const proof = await provider.sweep(cluster, signal);
      gone.push(...proof.gone);
      kept.push(...proof.kept);
      left.push(...proof.left);
      continue;
    }
    if (record.isReleased === true) continue;
    for (const machine of await provider.machines.list(cluster)) {
      if (machine.state !== 'broken' && machine.state !== 'deleting') continue;
      await provider.machines.destroy(cluster, machine.name, signal);
      gone.push({ type: 'machine', id: machine.id, name: machine.name, cluster: cluster.name });
    }
  }
  // Under the box's lock no lab is between its claim and its record.
  for (const stray of await withBoxLock(signal, () => findStrays(settings.groups))) {
    gone.push(...(await listTraces(stray, settings.groups)));
    await removeTraces(stray, settings.groups);
    left.push(
      ...(await listTraces(stray, settings.groups)).map((entry) =>
        Object.assign({ why: 'sweep again' }, entry),
      ),
    );
  }
  await tidyBox(settings);
  return { gone, kept, left };
}
