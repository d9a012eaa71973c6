/** A version of Kubernetes as numbers: `v1.20.3-restamped` → minor 20, patch 3. */
export interface VersionNumbers {
  readonly text: string;
  readonly minor: number;
  readonly patch: number;
}

/** Reads a version, with or without `v` and suffix; undefined where it is none. */
export function versionNumbers(text: string): VersionNumbers | undefined {
  const match = /^v?(\d+)\.(\d+)\.(\d+)/.exec(text);
  if (match === null) return undefined;
  const [, major = '', minor = '', patch = ''] = match;
  return { text: `${major}.${minor}.${patch}`, minor: Number(minor), patch: Number(patch) };
}

/** Older first. */
export const compareVersions = (one: VersionNumbers, other: VersionNumbers): number =>
  one.minor - other.minor || one.patch - other.patch;

/** How many minors the asked version is newer than the one that is told; negative where it is older. */
export const minorsAhead = (
  { kubernetesVersion }: { readonly kubernetesVersion: string },
  told: string,
): number => (versionNumbers(kubernetesVersion)?.minor ?? 0) - (versionNumbers(told)?.minor ?? 0);
