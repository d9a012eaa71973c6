import { z } from 'zod';

/** Name of the manifest inside a payload's folder. */
export const MANIFEST_FILE = 'manifest.json';

/** Name of the detached signature beside it. */
export const SIGNATURE_FILE = 'manifest.json.sig';

/** Largest manifest anybody reads, in bytes: some forty entries take 15 kB; the rest is room, not an invitation. */
export const MANIFEST_LIMIT = 1 << 20;

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hex digits');
const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/, 'must be sha256:<64 lower-case hex digits>');
const bytes = z.number().int().nonnegative();

/**
 * A path inside the payload: relative, plain segments, no `.` or `..`, at most one folder deep. What does not match
 * can neither be opened nor served, so a traversal never reaches the file system.
 */
const payloadPath = z
  .string()
  .max(200)
  .regex(/^(files|images)\/[A-Za-z0-9][A-Za-z0-9._-]*$/, 'must be files/NAME or images/NAME');

/** Where a file lands on a machine: absolute, without `.`, `..` or empty segments. */
const installTarget = z
  .string()
  .max(200)
  .regex(/^(\/[A-Za-z0-9_+@-][A-Za-z0-9._+@-]*)+$/, 'must be an absolute path without "." segments');

/** What a payload's file is to a machine. */
const fileRole = z.enum([
  'kubeadm',
  'kubelet',
  'kubectl',
  'containerd',
  'containerd-shim-runc-v2',
  'ctr',
  'runc',
  'cni-plugins',
  'crictl',
  'etcdctl',
]);

/** Which machines need a part: every machine, or masters only. */
const fileUse = z.enum(['all', 'control-plane']);

const fileEntry = z.strictObject({
  path: payloadPath,
  role: fileRole,
  /** `file`: written to `install` with `mode`. `tar`: unpacked into the folder `install`. */
  kind: z.enum(['file', 'tar']),
  install: installTarget,
  /** Permission bits as four octal digits; of the unpacked folder when `kind` is `tar`. */
  mode: z.string().regex(/^0[0-7]{3}$/),
  for: fileUse,
  size: bytes,
  sha256,
  /** Where it came from: a Debian package with its version, an upstream release, or this repository. */
  origin: z.string().min(1),
});

const imageUse = z.union([fileUse, z.string().regex(/^addon:[a-z0-9][a-z0-9-]*$/)]);

const imageEntry = z.strictObject({
  /** The name containerd knows it by after import, for example `k8s.gcr.io/pause:3.2`. */
  reference: z.string().regex(/^[a-z0-9][a-z0-9./:_@-]+$/i),
  /** An OCI layout in a tar: `ctr -n k8s.io images import FILE` takes it. One image each. */
  archive: payloadPath,
  size: bytes,
  sha256,
  /** Digest of the image's manifest. */
  digest,
  /** Digest of the image's configuration: what the runtime calls the image id. */
  configDigest: digest,
  for: imageUse,
  origin: z.string().min(1),
});

const payloadManifest = z
  .strictObject({
    schema: z.literal('remuda.dev/payload/v1'),
    name: z.string().regex(/^kubernetes-v\d+\.\d+\.\d+-(lab|upstream)$/),
    kubernetes: z.string().regex(/^v\d+\.\d+\.\d+$/),
    flavour: z.enum(['lab', 'upstream']),
    /** One sentence for people: where this came from and what was changed. */
    provenance: z.string().min(20),
    platform: z.strictObject({ os: z.literal('linux'), arch: z.enum(['amd64', 'arm64']) }),
    /** Rises with every build under one name; a lower one than already accepted is a roll-back and is refused. */
    sequence: z.number().int().positive(),
    /** When it was built or fetched, RFC 3339 in UTC. */
    built: z.iso.datetime(),
    /** Hash of the recipe and of every version that went in: equal keys, equal contents. */
    contentKey: sha256,
    files: z.array(fileEntry).min(1).max(200),
    images: z.array(imageEntry).min(1).max(200),
  })
  .superRefine((manifest, context) => {
    if (manifest.name !== payloadName(manifest.kubernetes, manifest.flavour)) {
      context.addIssue({ code: 'custom', path: ['name'], message: 'does not match version and flavour' });
    }
    const paths = [...manifest.files.map((f) => f.path), ...manifest.images.map((i) => i.archive)];
    for (const path of paths.filter((p, index) => paths.indexOf(p) !== index)) {
      context.addIssue({ code: 'custom', message: `the path ${path} is listed twice` });
    }
  });

/** One payload: everything a machine needs to become a Kubernetes node, offline. */
export type PayloadManifest = z.infer<typeof payloadManifest>;

/** A file of a payload. Sizes are bytes. */
export type PayloadFile = z.infer<typeof fileEntry>;

/** An image of a payload. Sizes are bytes. */
export type PayloadImage = z.infer<typeof imageEntry>;

/** What a payload's file is to a machine. */
export type FileRole = z.infer<typeof fileRole>;

/** `lab`: built here from Debian's sources. `upstream`: fetched as released. */
export type Flavour = PayloadManifest['flavour'];

/** The one name of a payload, for example `kubernetes-v1.20.2-lab`. */
export function payloadName(kubernetes: string, flavour: Flavour): string {
  return `kubernetes-${kubernetes}-${flavour}`;
}

/** The exact bytes that are written and signed. */
export function manifestBytes(manifest: PayloadManifest): Buffer {
  return Buffer.from(`${JSON.stringify(payloadManifest.parse(manifest), null, 2)}\n`);
}

/**
 * Reads a manifest. Call it only on bytes whose signature has been checked.
 * @returns the manifest, or every reason why these bytes are none
 */
export function parseManifest(
  bytesRead: Buffer,
): { readonly manifest: PayloadManifest } | { readonly reasons: readonly string[] } {
  let value: unknown;
  try {
    value = JSON.parse(bytesRead.toString('utf8'));
  } catch {
    return { reasons: ['it is not JSON'] };
  }
  const parsed = payloadManifest.safeParse(value);
  if (parsed.success) return { manifest: parsed.data };
  return {
    reasons: parsed.error.issues.map((issue) => `${issue.path.join('.') || 'manifest'}: ${issue.message}`),
  };
}
