import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PayloadFile, PayloadImage, PayloadManifest } from './manifest.ts';

/** Which machines are equipped: masters get everything, workers what they need. */
export type MachineRole = 'control-plane' | 'worker';

/** A file to download, check and put in place. Sizes are bytes. */
interface InstallFile extends Pick<PayloadFile, 'role' | 'kind' | 'install' | 'mode' | 'size' | 'sha256'> {
  /** Path to append to the payload server's base URL. */
  readonly url: string;
}

/** An image to download, check and import. Sizes are bytes. */
interface InstallImage
  extends Pick<PayloadImage, 'reference' | 'size' | 'sha256' | 'digest' | 'configDigest'> {
  readonly url: string;
}

/**
 * What one machine has to fetch, in JSON. Every entry carries its SHA-256, and the list reaches the machine over SSH
 * and not from the server, so that a machine trusts what the agent verified and not what the network answers.
 */
export interface InstallList {
  readonly payload: string;
  readonly kubernetes: string;
  readonly role: MachineRole;
  /** Bytes of all downloads together. */
  readonly size: number;
  readonly files: readonly InstallFile[];
  readonly images: readonly InstallImage[];
}

/**
 * Path on the payload server: `/payloads/<manifest digest>/<path>`. The digest and not the name, so that a server
 * with two builds of one name never mixes them.
 */
export function partUrl(digest: string, path: string): string {
  return `/payloads/${digest}/${path}`;
}

/**
 * The list for a role. Pure.
 * @param digest SHA-256 of the manifest, as verification returned it
 * @param addons add-ons whose images this machine will run: every machine, when in doubt
 */
export function installList(
  manifest: PayloadManifest,
  digest: string,
  role: MachineRole,
  addons: readonly string[],
): InstallList {
  const uses = new Set<string>(['all', ...(role === 'control-plane' ? ['control-plane'] : [])]);
  for (const addon of addons) uses.add(`addon:${addon}`);
  const files = manifest.files
    .filter((file) => uses.has(file.for))
    .map(({ role: part, kind, install, mode, size, sha256, path }) => ({
      role: part,
      kind,
      install,
      mode,
      size,
      sha256,
      url: partUrl(digest, path),
    }));
  const images = manifest.images
    .filter((image) => uses.has(image.for))
    .map(({ reference, size, sha256, digest: imageDigest, configDigest, archive }) => ({
      reference,
      size,
      sha256,
      digest: imageDigest,
      configDigest,
      url: partUrl(digest, archive),
    }));
  const size = [...files, ...images].reduce((sum, part) => sum + part.size, 0);
  return { payload: manifest.name, kubernetes: manifest.kubernetes, role, size, files, images };
}

/**
 * The list as the script on the machine reads it: tab-separated lines, so that a machine needs no JSON reader.
 * @param base `https://ADDRESS:PORT` of the payload server
 */
export function installTable(list: InstallList, base: string): string {
  const files = list.files.map((file) => [
    file.kind,
    file.url,
    file.sha256,
    file.size,
    file.mode,
    file.install,
  ]);
  const images = list.images.map((image) => [
    'image',
    image.url,
    image.sha256,
    image.size,
    image.digest,
    image.reference,
  ]);
  return [['base', base], ...files, ...images].map((fields) => `${fields.join('\t')}\n`).join('');
}

/**
 * The script that a machine runs to observe and to install, as text: `machine-install observe|install LIST STATE …`;
 * its head says how.
 */
export async function machineInstallScript(): Promise<string> {
  const parts = ['machine-install-record', 'machine-install'];
  const texts = await Promise.all(parts.map((name) => readFile(join(import.meta.dirname, name), 'utf8')));
  return texts.join('');
}

/** What `curl --config` reads on the machine (mode 0600): the token stays out of every argument list. */
export function curlConfig(token: string, caFile: string): string {
  return `header = "Authorization: Bearer ${token}"\ncacert = "${caFile}"\n`;
}
