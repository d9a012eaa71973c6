import { z } from 'zod';
import { UserProblem } from '../contract/problem.ts';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);
const plainName = z.string().regex(/^[a-z0-9][a-z0-9._/-]*$/);
const version = z.string().regex(/^v\d+\.\d+\.\d+$/);

/** A component of a release: its own version, and the SHA-256 (hex) of the file as upstream publishes it. */
const component = z.strictObject({ version, sha256 });

const releaseRow = z.strictObject({
  kubernetes: version,
  arch: z.enum(['amd64', 'arm64']),
  /** Who compared the digests with which signed statement of upstream, and when: a row without it does not exist. */
  reviewed: z.string().min(20),
  kubeadm: sha256,
  kubelet: sha256,
  kubectl: sha256,
  containerd: component,
  runc: component,
  cniPlugins: component,
  crictl: component,
  /** Those that `kubeadm config images list` names, and that of the final proof (`probe` in the version table, for all). */
  images: z
    .array(
      z.strictObject({
        /** Repository below the registry: `kube-apiserver`, `coredns/coredns`. */
        repository: plainName,
        tag: z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/),
        /** Of the manifest, or of the index that lists one per machine type. */
        digest,
        for: z.enum(['all', 'control-plane']),
      }),
    )
    .min(1),
});

/** One upstream release with every digest that is needed to fetch it. */
export type UpstreamRelease = z.infer<typeof releaseRow>;

/** Reviewed releases. */
export type DigestTable = readonly UpstreamRelease[];

/**
 * The releases that Remuda fetches, with digests taken from upstream's signed statements by a person.
 *
 * It is EMPTY, and that is the truth: upstream could not be reached where this was written, and a digest nobody has
 * compared is worth nothing. To add a row: take the digests from upstream's signed provenance (never from a file
 * beside the download), have a second person compare them, and write both names into `reviewed`. Until then
 * {@link releaseFor} refuses every version.
 */
export const REVIEWED_RELEASES: DigestTable = [];

/**
 * The row of a version. Throws UserProblem when nobody has reviewed its digests.
 * @param wanted `v1.37.1` or `1.37.1`
 */
export function releaseFor(
  table: DigestTable,
  wanted: string,
  arch: UpstreamRelease['arch'],
): UpstreamRelease {
  const name = wanted.startsWith('v') ? wanted : `v${wanted}`;
  const row = table.find((one) => one.kubernetes === name && one.arch === arch);
  if (row !== undefined) return releaseRow.parse(row);
  const known = table.filter((one) => one.arch === arch).map((one) => one.kubernetes);
  const review =
    `take the SHA-256 of kubeadm, kubelet, kubectl, containerd, runc, the CNI plug-ins and crictl, and the digest of ` +
    `every image (those of "kubeadm config images list", and agnhost's of the final proof), from upstream's signed provenance of ${name} (not from a file beside the download); let a second ` +
    'person compare them; add them as a row to REVIEWED_RELEASES in provisioners/payload/digests.ts with both names ' +
    'in `reviewed`; then repeat this command';
  const others =
    known.length > 0 ? `Choose one of ${known.join(', ')}.` : 'No release has been reviewed yet.';
  const remedy = `${others} To add this one: ${review}.`;
  throw new UserProblem(
    'PAYLOAD-030',
    `Nobody has reviewed the digests of Kubernetes ${name} for ${arch}, so it is not fetched.`,
    {
      value: wanted,
      remedy,
    },
  );
}
