import type { ClusterIdentity } from '../../contract/machine.ts';
import type {
  FoundMachine,
  MachineProvider,
  OwnershipProvider,
  TaggedCluster,
} from '../../contract/provider.ts';
import { listLabs, readLab, type LabSettings } from './infrastructure.ts';
import { withLock } from './lock.ts';
import { placesOf, type LabPlaces } from './places.ts';
import { writeRecord, type LabRecord } from './record.ts';
import { listTraces } from './traces.ts';

/** Who a lab belongs to, in its record. */
export class LabOwnership implements OwnershipProvider {
  readonly #settings: LabSettings;
  readonly #machines: Pick<MachineProvider, 'list'>;

  constructor(settings: LabSettings, machines: Pick<MachineProvider, 'list'>) {
    this.#settings = settings;
    this.#machines = machines;
  }

  async observe(cluster: ClusterIdentity): Promise<'ours' | 'released' | 'absent'> {
    const record = await readLab(this.#placesOf(cluster));
    if (record === undefined) return 'absent';
    return record.isReleased === true ? 'released' : 'ours';
  }

  release(cluster: ClusterIdentity): Promise<void> {
    return this.#change(cluster, (record) => ({ ...record, isReleased: true }));
  }

  claim(cluster: ClusterIdentity): Promise<void> {
    return this.#change(cluster, ({ isReleased: _isReleased, ...record }) => record);
  }

  async find(addresses: readonly string[]): Promise<readonly FoundMachine[]> {
    const labs = await listLabs(this.#settings);
    const found = await Promise.all(
      labs.map(async ({ cluster, isReleased = false }) => {
        const machines = await this.#machines.list(cluster);
        return machines.map((machine) => ({ ...machine, isReleased }));
      }),
    );
    return found.flat().filter(({ address }) => address !== undefined && addresses.includes(address));
  }

  /** Labs of this state folder: an appliance has one, so those of others are never seen. */
  async clusters(): Promise<readonly TaggedCluster[]> {
    const labs = await listLabs(this.#settings);
    return Promise.all(
      labs.map(async ({ cluster, isReleased = false }) => ({
        cluster,
        isReleased,
        things: await listTraces(this.#placesOf(cluster), this.#settings.groups, cluster.name),
      })),
    );
  }

  async #change(cluster: ClusterIdentity, to: (record: LabRecord) => LabRecord): Promise<void> {
    const lab = this.#placesOf(cluster);
    await withLock(lab.lock, undefined, async () => {
      const record = await readLab(lab);
      if (record !== undefined) await writeRecord(lab.record, to(record));
    });
  }

  #placesOf(cluster: ClusterIdentity): LabPlaces {
    return placesOf(this.#settings.labDirectory, cluster);
  }
}
