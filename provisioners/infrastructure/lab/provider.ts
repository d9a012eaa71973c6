import { existsSync, realpathSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import type { ClusterIdentity } from '../../contract/machine.ts';
import { UserProblem } from '../../contract/problem.ts';
import type { Finding } from '../../contract/preflight.ts';
import type { CapacityRequest, LedgerEntry, Provider, TeardownProof } from '../../contract/provider.ts';
import { detectCgroups } from './cgroups.ts';
import { LabInfrastructure, machineFolders, type LabSettings } from './infrastructure.ts';
import { LabMachines } from './machines.ts';
import { LabOwnership } from './ownership.ts';
import { placesOf } from './places.ts';
import { checkBox } from './preflight.ts';
import { asKept } from './released.ts';
import type { OnProgress } from './root-image.ts';
import { listTraces, removeTraces, tidyBox } from './traces.ts';

/** The provider's own section of the answer file; what it says is in every request already (nodeNetwork, shapes). */
export const labConfigSchema = z.strictObject({
  subnet: z.string().optional(),
  cpus: z.int().optional(),
  memory: z.int().optional(),
});

/** Where a lab provider works when nothing else is said. */
export interface LabOptions {
  /** Default REMUDA_LAB_DIR, else /var/lib/remuda-lab. Not below /mnt, which every host's supervisor covers. */
  readonly labDirectory?: string;
  /** Default REMUDA_CACHE, else /var/cache/remuda. */
  readonly cacheDirectory?: string;
  readonly onProgress?: OnProgress;
}

/** The path with its symbolic links resolved as far as it exists: the kernel's mount table knows no other. */
const resolved = (path: string): string =>
  existsSync(path) ? realpathSync(path) : join(resolved(dirname(path)), basename(path));

/**
 * Folders and cgroups for a lab provider, from options, environment and the box.
 * @throws UserProblem when the state folder cannot be one.
 */
export async function labSettings(options: LabOptions = {}): Promise<LabSettings> {
  const { env } = process;
  const asked = options.labDirectory ?? env['REMUDA_LAB_DIR'] ?? '/var/lib/remuda-lab';
  const labDirectory = resolved(resolve(asked));
  if (!/^\/[\w./-]+$/.test(labDirectory) || /^\/mnt(\/|$)/.test(labDirectory))
    throw new UserProblem('LAB-003', `${asked} cannot hold labs`, {
      place: { field: 'REMUDA_LAB_DIR' },
      value: asked,
      remedy: 'Name a folder outside /mnt, made of letters, digits, dots, hyphens and underscores.',
    });
  return {
    labDirectory,
    cacheDirectory: resolved(resolve(options.cacheDirectory ?? env['REMUDA_CACHE'] ?? '/var/cache/remuda')),
    groups: await detectCgroups(),
    onProgress: options.onProgress ?? (() => undefined),
  };
}

/** Hosts on this very box: systemd-nspawn containers with real systemd and sshd on a private bridge with no way out. */
export class LabProvider implements Provider {
  readonly type = 'lab';
  /** The lab's network has no way out: no controller in it can make anything that is not on this box. */
  readonly covers = ['balancers', 'volumes'] as const;
  readonly infrastructure: LabInfrastructure;
  readonly machines: LabMachines;
  readonly ownership: LabOwnership;
  readonly #settings: LabSettings;

  constructor(settings: LabSettings) {
    this.#settings = settings;
    this.infrastructure = new LabInfrastructure(settings);
    this.machines = new LabMachines(settings);
    this.ownership = new LabOwnership(settings, this.machines);
  }

  preflight(request: CapacityRequest): Promise<Finding[]> {
    return checkBox(this.#settings, request);
  }

  async ledger(cluster: ClusterIdentity): Promise<LedgerEntry[]> {
    const lab = placesOf(this.#settings.labDirectory, cluster);
    const traces = await listTraces(lab, this.#settings.groups, cluster.name);
    const isReleased = (await this.ownership.observe(cluster)) === 'released';
    return isReleased ? asKept(traces) : traces;
  }

  async sweep(cluster: ClusterIdentity, signal: AbortSignal): Promise<TeardownProof> {
    const lab = placesOf(this.#settings.labDirectory, cluster);
    const before = await this.ledger(cluster);
    if ((await this.ownership.observe(cluster)) === 'released')
      return { gone: [], kept: asKept(before), left: [] };
    const failures: string[] = [];
    const note = (error: unknown): void => {
      failures.push(error instanceof Error ? error.message : String(error));
    };
    const names = await machineFolders(lab);
    await Promise.all(names.map((name) => this.machines.destroy(cluster, name, signal).catch(note)));
    if (failures.length === 0) await this.infrastructure.remove(cluster, signal).catch(note);
    signal.throwIfAborted();
    // By label, whatever went wrong above.
    await removeTraces(lab, this.#settings.groups).catch(note);
    await tidyBox(this.#settings).catch(note);
    const after = await this.ledger(cluster);
    const isLeft = (entry: LedgerEntry): boolean =>
      after.some(({ type, id }) => type === entry.type && id === entry.id);
    const why = failures.join('; ') || 'it came into being while sweeping; sweep again';
    return {
      gone: before.filter((entry) => !isLeft(entry)),
      kept: [],
      left: after.map((entry) => Object.assign({ why }, entry)),
    };
  }
}
