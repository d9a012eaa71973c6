import { createHash } from 'node:crypto';
import type { Addon, AddonInput } from '../contract/addon.ts';
import { canonicalJson, type Json } from '../contract/json.ts';
import type { KubernetesObject } from '../contract/ports/kubernetes.ts';
import { UserProblem } from '../contract/problem.ts';
import { addonNamed } from '../addons/addons.ts';

/** @throws UserProblem when this release has no add-on of the name */
export function addonFor(name: string): Addon {
  const addon = addonNamed(name);
  if (addon !== undefined) return addon;
  throw new UserProblem('ADDON-001', `This release has no add-on "${name}".`, {
    value: name,
    place: { field: 'spec.addons' },
    remedy: 'Choose one that the reference of the answer file lists.',
  });
}

/** Objects of an add-on and the digest that marks them as installed. */
export function addonObjects(
  name: string,
  version: string,
  input: AddonInput,
): { readonly objects: readonly KubernetesObject[]; readonly digest: string } {
  const objects = addonFor(name).manifests(version, input);
  // Objects survive JSON by construction: that is how they reach the API server.
  const text = canonicalJson(JSON.parse(JSON.stringify(objects)) as Json);
  return { objects, digest: `sha256:${createHash('sha256').update(text).digest('hex')}` };
}
