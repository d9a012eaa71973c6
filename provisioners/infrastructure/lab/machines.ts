import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import type { ClusterIdentity } from '../../contract/machine.ts';
import { Blocked, UserProblem } from '../../contract/problem.ts';
import {
  createMachineSchema,
  type CreateMachine,
  type MachineProvider,
  type ProviderMachine,
} from '../../contract/provider.ts';
import {
  awaitSshd,
  makeDisk,
  portOf,
  processesOf,
  pullPlug,
  removeHost,
  startHost,
  type Host,
} from './host.ts';
import { machineFolders, readLab, type LabSettings } from './infrastructure.ts';
import { withLock } from './lock.ts';
import { removePort, setCable } from './network.ts';
import { placesOf, placesOfMachine, type LabPlaces } from './places.ts';
import { isAlive, ownIdentity } from './process.ts';
import { claimAddress, releaseAddress } from './address.ts';
import {
  machineRecordSchema,
  readRecord,
  writeRecord,
  type LabRecord,
  type MachineRecord,
} from './record.ts';
import { requireOwn } from './released.ts';
import { buildRootImage } from './root-image.ts';
import { generateSshKey } from '../../contract/ssh-key.ts';
import { removeFolder } from './traces.ts';

const dnsLabel = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** Lab hosts as machines of a cluster, with what only a lab can do to them: pull a cable. */
export class LabMachines implements MachineProvider {
  readonly #settings: LabSettings;

  constructor(settings: LabSettings) {
    this.#settings = settings;
  }

  async list(cluster: ClusterIdentity): Promise<ProviderMachine[]> {
    const lab = this.#labOf(cluster);
    const names = await machineFolders(lab);
    return Promise.all(names.sort().map((name) => this.#describe(lab, cluster, name)));
  }

  async create(request: CreateMachine, signal: AbortSignal): Promise<ProviderMachine> {
    const { cluster, name } = createMachineSchema.parse(request);
    if (!dnsLabel.test(name))
      throw new UserProblem('LAB-040', `"${name}" cannot be the name of a machine`, {
        value: name,
        remedy: 'Use lower case letters, digits and hyphens, at most 63, a letter or digit at both ends.',
      });
    const lab = this.#labOf(cluster);
    const labRecord = await this.#readyLab(lab, cluster);
    const places = placesOfMachine(lab, name);
    await withLock(places.lock, signal, async () => {
      const known = await readRecord(places.record, machineRecordSchema);
      if (known && known.token !== request.token) throw nameTaken(known, cluster);
      if (known?.state === 'present') return;
      if (known?.state === 'deleting')
        throw new Blocked('LAB-041', `${name} is being destroyed`, {
          machine: name,
          remedy: 'Let the destruction end, then create it as a new incarnation.',
        });
      await this.#make(lab, labRecord, request, known, signal);
    });
    return this.#describe(lab, cluster, name);
  }

  /** Makes a machine that is not there or whose making was cut off: always from the beginning, on the same address. */
  async #make(
    lab: LabPlaces,
    labRecord: LabRecord,
    request: CreateMachine,
    known: MachineRecord | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const { cluster, name, role, incarnation, token, shape, labels } = request;
    const { cacheDirectory, groups, onProgress } = this.#settings;
    const places = placesOfMachine(lab, name);
    const root = await buildRootImage(cacheDirectory, onProgress, signal);
    const address = known?.address ?? (await claimAddress(lab, labRecord, name, request.address));
    const hostKey = generateSshKey('provisional');
    const record: MachineRecord = {
      version: 1,
      cluster,
      name,
      role,
      incarnation,
      token,
      shape,
      labels,
      address,
      root,
      state: 'creating',
      power: 'on',
      maker: await ownIdentity(),
      hostKey: hostKey.public,
    };
    await writeRecord(places.record, record);
    const host: Host = { lab, labRecord, places, record, groups };
    if (known) await removeHost(host, name);
    signal.throwIfAborted();
    await makeDisk(host, hostKey, request.authorizedKey);
    const supervisor = await startHost(host);
    await awaitSshd(host, signal);
    await writeRecord(places.record, { ...record, state: 'present', ...(supervisor ? { supervisor } : {}) });
  }

  async power(cluster: ClusterIdentity, name: string, state: 'on' | 'off'): Promise<void> {
    const lab = this.#labOf(cluster);
    await withLock(placesOfMachine(lab, name).lock, undefined, async () => {
      const host = await this.#hostOf(lab, cluster, name);
      if (host.record.power !== state)
        await writeRecord(host.places.record, { ...host.record, power: state });
      if (state === 'off') return pullPlug(host, name);
      const isRunning = (await processesOf(host, name)).length > 0;
      if (isRunning) return;
      const supervisor = await startHost(host);
      await writeRecord(host.places.record, {
        ...host.record,
        power: 'on',
        ...(supervisor ? { supervisor } : {}),
      });
    });
  }

  /** Pulls the network cable out of a machine or plugs it in again; already so is success. It outlives reboots. */
  async cable(cluster: ClusterIdentity, name: string, state: 'in' | 'out'): Promise<void> {
    const lab = this.#labOf(cluster);
    await withLock(placesOfMachine(lab, name).lock, undefined, async () => {
      const host = await this.#hostOf(lab, cluster, name);
      if (state === 'out') await writeFile(host.places.unplugged, '');
      else await rm(host.places.unplugged, { force: true });
      const isRunning = (await processesOf(host, name)).length > 0;
      if (isRunning) await setCable(lab, portOf(host.labRecord, host.record.address), state);
    });
  }

  async destroy(cluster: ClusterIdentity, name: string, signal: AbortSignal): Promise<void> {
    const lab = this.#labOf(cluster);
    const places = placesOfMachine(lab, name);
    if (!existsSync(places.folder)) return;
    await withLock(places.lock, signal, async () => {
      const labRecord = await readLab(lab);
      requireOwn(labRecord);
      // Whatever its record says, or if it is torn: what belongs to the machine is told by its control groups.
      const record = await readRecord(places.record, machineRecordSchema).catch(() => undefined);
      if (record) await writeRecord(places.record, { ...record, state: 'deleting' });
      await removeHost({ lab, groups: this.#settings.groups }, name);
      if (labRecord && record) await removePort(lab, portOf(labRecord, record.address));
      await releaseAddress(lab, name);
      await removeFolder(places.folder, 'machine.json');
    });
  }

  #labOf(cluster: ClusterIdentity): LabPlaces {
    return placesOf(this.#settings.labDirectory, cluster);
  }

  async #readyLab(lab: LabPlaces, cluster: ClusterIdentity): Promise<LabRecord> {
    const record = await readLab(lab);
    requireOwn(record);
    if (record?.state === 'present') return record;
    throw new Blocked('LAB-042', `the lab of ${cluster.name} has no network yet`, {
      remedy: 'Prepare the infrastructure first.',
    });
  }

  /** @throws UserProblem when there is no such machine. */
  async #hostOf(lab: LabPlaces, cluster: ClusterIdentity, name: string): Promise<Host> {
    const places = placesOfMachine(lab, name);
    const record = await readRecord(places.record, machineRecordSchema);
    const labRecord = await readLab(lab);
    requireOwn(labRecord);
    if (record && labRecord && record.state !== 'deleting')
      return { lab, labRecord, places, record, groups: this.#settings.groups };
    throw new UserProblem('LAB-043', `the lab of ${cluster.name} has no machine "${name}"`, {
      value: name,
      remedy: `It has: ${(await machineFolders(lab)).join(', ') || 'none'}.`,
    });
  }

  async #describe(lab: LabPlaces, cluster: ClusterIdentity, name: string): Promise<ProviderMachine> {
    const places = placesOfMachine(lab, name);
    const nobody = {
      name,
      token: '',
      incarnation: 1,
      cluster,
      role: 'worker',
      id: places.folder,
      state: 'broken',
    } as const;
    const record = await readRecord(places.record, machineRecordSchema).catch((error: Error) => error);
    if (record instanceof Error) return { ...nobody, detail: `destroy it: ${record.message}` };
    if (!record)
      return { ...nobody, detail: 'its creation was cut off before anything of it was made; destroy it' };
    return {
      name,
      token: record.token,
      incarnation: record.incarnation,
      cluster: record.cluster,
      role: record.role,
      id: places.folder,
      address: record.address,
      provisionalHostKey: record.hostKey,
      ...(await this.#stateOf(lab, record)),
    };
  }

  async #stateOf(lab: LabPlaces, record: MachineRecord): Promise<Pick<ProviderMachine, 'state' | 'detail'>> {
    if (record.state === 'deleting') return { state: 'deleting', detail: 'destroy it again to finish' };
    if (record.state === 'creating')
      return (await isAlive(record.maker))
        ? { state: 'creating', detail: 'booting' }
        : {
            state: 'broken',
            detail: 'its creation was cut off; create it again with the same token, or destroy it',
          };
    const isRunning = (await processesOf({ lab, groups: this.#settings.groups }, record.name)).length > 0;
    if (isRunning) return { state: 'running' };
    return {
      state: 'off',
      detail: record.power === 'off' ? 'switched off' : 'it went down by itself; see its console.log',
    };
  }
}

const nameTaken = (known: MachineRecord, cluster: ClusterIdentity): UserProblem =>
  new UserProblem(
    'LAB-046',
    `the name ${known.name} is taken in ${cluster.name} by incarnation ${known.incarnation}`,
    {
      machine: known.name,
      value: known.name,
      remedy: 'Destroy that machine first, or create this one under another name.',
    },
  );
