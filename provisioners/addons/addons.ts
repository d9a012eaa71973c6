import type { Addon } from '../contract/addon.ts';
import { clusterDns } from './dns/cluster-dns/addon.ts';
import { routedBridge } from './network/routed-bridge/addon.ts';

/** Every add-on there is, in the order they are installed: pods need the network before anything else of them works. */
export const addons: readonly Addon[] = [routedBridge, clusterDns];

/** The add-on of that name, for example `network/routed-bridge`. */
export const addonNamed = (name: string): Addon | undefined => addons.find((addon) => addon.name === name);

/** Newest version of the add-on that serves a Kubernetes minor (`1.20`), by numeric order. */
export function versionFor(addon: Addon, minor: string): string | undefined {
  return Object.keys(addon.versions)
    .filter((version) => addon.versions[version]?.includes(minor))
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
    .at(-1);
}
