import { createHash } from 'node:crypto';
import { type TarEntry, writeTar } from './tar.ts';

const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json';
const CONFIG_TYPE = 'application/vnd.oci.image.config.v1+json';
const LAYER_TYPE = 'application/vnd.oci.image.layer.v1.tar';

/** What a runtime is told about an image's process. */
export interface ProcessConfig {
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  /** `NAME=value`. */
  readonly environment: readonly string[];
}

/** A blob of an image: bytes here, or a file. Digests are `sha256:<hex>`. */
export type Blob = { readonly digest: string; readonly size: number } & (
  | { readonly bytes: Buffer }
  | { readonly file: string }
);

/** An image's archive as written. Sizes are bytes. */
export interface ImageArchive {
  readonly sha256: string;
  readonly size: number;
  readonly digest: string;
  readonly configDigest: string;
}

/** Makes a blob of JSON. */
function jsonBlob(value: object): Blob & { readonly bytes: Buffer } {
  const bytes = Buffer.from(JSON.stringify(value));
  return { bytes, size: bytes.length, digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}` };
}

/**
 * Writes a one-layer image as an OCI layout in a tar (image-spec v1.0, image-layout.md). The layer stays
 * uncompressed: it travels a local network once, and unpacking is what a machine waits for.
 */
export async function writeSingleLayerImage(
  file: string,
  options: {
    readonly reference: string;
    readonly arch: string;
    readonly date: number;
    readonly process: ProcessConfig;
    readonly layer: Blob;
    readonly author: string;
  },
): Promise<ImageArchive> {
  const created = new Date(options.date * 1000).toISOString();
  const config = jsonBlob({
    architecture: options.arch,
    os: 'linux',
    created,
    config: {
      Env: options.process.environment,
      ...(options.process.entrypoint.length > 0 ? { Entrypoint: options.process.entrypoint } : {}),
      ...(options.process.command.length > 0 ? { Cmd: options.process.command } : {}),
    },
    rootfs: { type: 'layers', diff_ids: [options.layer.digest] },
    history: [{ created, created_by: options.author }],
  });
  const manifest = jsonBlob({
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    config: { mediaType: CONFIG_TYPE, digest: config.digest, size: config.size },
    layers: [{ mediaType: LAYER_TYPE, digest: options.layer.digest, size: options.layer.size }],
  });
  const blobs = [manifest, config, options.layer];
  const written = await writeImageLayout(file, { ...options, manifest, manifestType: MANIFEST_TYPE, blobs });
  return { ...written, digest: manifest.digest, configDigest: config.digest };
}

/**
 * Writes blobs as an OCI layout whose index names one image. The annotation `io.containerd.image.name` is what
 * `ctr images import` takes the reference from.
 */
export async function writeImageLayout(
  file: string,
  options: {
    readonly reference: string;
    readonly date: number;
    readonly manifest: Blob;
    readonly manifestType: string;
    readonly blobs: readonly Blob[];
  },
): Promise<{ readonly sha256: string; readonly size: number }> {
  const { manifest } = options;
  const tag = options.reference.slice(options.reference.lastIndexOf(':') + 1);
  const index = jsonBlob({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: [
      {
        mediaType: options.manifestType,
        digest: manifest.digest,
        size: manifest.size,
        annotations: {
          'io.containerd.image.name': options.reference,
          'org.opencontainers.image.ref.name': tag,
        },
      },
    ],
  });
  const entries: TarEntry[] = [
    { path: 'oci-layout', type: 'text', text: '{"imageLayoutVersion":"1.0.0"}', mode: 0o644 },
    { path: 'index.json', type: 'text', text: index.bytes, mode: 0o644 },
    { path: 'blobs', type: 'folder', mode: 0o755 },
    { path: 'blobs/sha256', type: 'folder', mode: 0o755 },
  ];
  const written = new Set<string>();
  for (const blob of options.blobs) {
    if (written.has(blob.digest)) continue;
    written.add(blob.digest);
    const path = `blobs/sha256/${blob.digest.slice('sha256:'.length)}`;
    if ('bytes' in blob) entries.push({ path, type: 'text', text: blob.bytes, mode: 0o644 });
    else entries.push({ path, type: 'file', source: blob.file, size: blob.size, mode: 0o644 });
  }
  return writeTar(file, entries, options.date);
}
