import type { KubernetesObject, ObjectReference } from '../../../provisioners/contract/ports/kubernetes.ts';

/** Objects as the model's API server keeps them: the text of an object with the marks the server adds. */
export type StoredObject = { [key: string]: unknown } & KubernetesObject;

const keyOf = (of: ObjectReference): string => `${of.apiVersion}|${of.kind}|${of.namespace ?? ''}|${of.name}`;

/** The object store of one cluster's API, with server-side apply as far as the steps can tell. */
export class ObjectStore {
  readonly objects = new Map<string, StoredObject>();
  /** Every creation, in order: what was made twice shows here. */
  readonly created: string[] = [];
  #version = 0;

  /** How often anything was written. */
  get revision(): number {
    return this.#version;
  }

  get(of: ObjectReference): StoredObject | undefined {
    return this.objects.get(keyOf(of));
  }

  list(apiVersion: string, kind: string): StoredObject[] {
    const prefix = `${apiVersion}|${kind}|`;
    const found: StoredObject[] = [];
    for (const [key, object] of this.objects) if (key.startsWith(prefix)) found.push(object);
    return found;
  }

  /** What each manager named last, by object: server-side apply drops what its manager no longer names. */
  readonly #managed = new Map<string, KubernetesObject>();

  /** Server-side apply: merges what is given into what is there; the generation rises only when the spec changes. */
  apply(object: KubernetesObject, now: number, manager = 'kubeadm'): StoredObject {
    const of = referenceOf(object);
    const key = keyOf(of);
    const old = this.objects.get(key);
    this.#version += 1;
    if (old === undefined) this.created.push(key);
    const named = this.#managed.get(`${manager}|${key}`);
    this.#managed.set(`${manager}|${key}`, structuredClone(object));
    const merged = merge(prune(old ?? {}, named, object), object) as StoredObject;
    const isSpecChanged = old === undefined || !isSame(old['spec'], merged['spec']);
    const generation = Number(old?.metadata['generation'] ?? 0) + (isSpecChanged ? 1 : 0);
    const stored = {
      ...merged,
      metadata: {
        ...merged.metadata,
        uid: old?.metadata['uid'] ?? `uid-${this.#version}`,
        creationTimestamp: old?.metadata['creationTimestamp'] ?? new Date(now).toISOString(),
        resourceVersion: String(
          old !== undefined && isSame(old, merged) ? old.metadata['resourceVersion'] : this.#version,
        ),
        generation,
        changedAt: isSpecChanged ? now : old.metadata['changedAt'],
      },
    };
    this.objects.set(key, stored);
    return stored;
  }

  /**
   * Merge patch (RFC 7386) by a manager, only if the object is still at that version; without one, whatever it is at.
   * Whoever changes spec.unschedulable owns it from then on, as metadata.managedFields says.
   */
  patch(
    of: ObjectReference,
    change: Readonly<Record<string, unknown>>,
    by: { readonly manager: string; readonly resourceVersion?: string },
  ): 'set' | 'outdated' {
    const key = keyOf(of);
    const old = this.objects.get(key);
    if (old === undefined) return 'outdated';
    if (by.resourceVersion !== undefined && old.metadata['resourceVersion'] !== by.resourceVersion)
      return 'outdated';
    const patched = mergePatch(old, change) as StoredObject;
    if (isSame(old, patched)) return 'set';
    this.#version += 1;
    const { managedFields: owned, ...metadata } = patched.metadata;
    const isSwitched = !isSame(field(old, 'spec', 'unschedulable'), field(patched, 'spec', 'unschedulable'));
    const isOwned = field(patched, 'spec', 'unschedulable') !== undefined;
    const byUs = [
      { manager: by.manager, operation: 'Update', fieldsV1: { 'f:spec': { 'f:unschedulable': {} } } },
    ];
    const newlyOwned = isOwned ? byUs : undefined;
    const managedFields = isSwitched ? newlyOwned : owned;
    this.objects.set(key, {
      ...patched,
      metadata: {
        ...metadata,
        resourceVersion: String(this.#version),
        ...(managedFields === undefined ? {} : { managedFields }),
      },
    });
    return 'set';
  }

  remove(of: ObjectReference): boolean {
    for (const key of this.#managed.keys()) if (key.endsWith(`|${keyOf(of)}`)) this.#managed.delete(key);
    return this.objects.delete(keyOf(of));
  }

  /** What a restored database holds instead of what was there. */
  replaceAll(objects: readonly StoredObject[]): void {
    this.objects.clear();
    for (const object of objects) this.objects.set(keyOf(referenceOf(object)), object);
  }

  /** Removes everything in a namespace, as the namespace controller does. */
  removeNamespace(name: string): void {
    for (const [key, object] of this.objects)
      if (object.metadata.namespace === name) this.objects.delete(key);
  }
}

/** Coordinates of an object. */
export const referenceOf = (object: KubernetesObject): ObjectReference => ({
  apiVersion: object.apiVersion,
  kind: object.kind,
  name: object.metadata.name,
  ...(object.metadata.namespace === undefined ? {} : { namespace: object.metadata.namespace }),
});

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What is there without what the manager named before and names no more. */
function prune(old: unknown, named: unknown, given: unknown): unknown {
  if (!isRecord(old) || !isRecord(named) || !isRecord(given)) return old;
  const kept: Record<string, unknown> = { ...old };
  for (const key of Object.keys(named)) {
    if (!(key in given)) delete kept[key];
    else kept[key] = prune(old[key], named[key], given[key]);
  }
  return kept;
}

function merge(old: unknown, given: unknown): unknown {
  if (!isRecord(old) || !isRecord(given)) return structuredClone(given);
  const merged: Record<string, unknown> = { ...old };
  for (const [key, value] of Object.entries(given)) {
    if (value === undefined) continue;
    merged[key] = merge(old[key], value);
  }
  return merged;
}

/** RFC 7386: null removes, objects merge, anything else replaces. */
function mergePatch(old: unknown, change: unknown): unknown {
  if (!isRecord(change)) return structuredClone(change);
  const patched: Record<string, unknown> = isRecord(old) ? { ...old } : {};
  for (const [key, value] of Object.entries(change)) {
    if (value === null) delete patched[key];
    else patched[key] = mergePatch(patched[key], value);
  }
  return patched;
}

const isSame = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** Reads a nested field of an object; undefined when any part is missing. */
export function field(value: unknown, ...path: readonly string[]): unknown {
  let current = value;
  for (const key of path) {
    if (!isRecord(current)) return undefined;
    current = current[key];
  }
  return current;
}

/** A field that is a map of strings. */
export function textMap(value: unknown, ...path: readonly string[]): Record<string, string> {
  const found = field(value, ...path);
  if (!isRecord(found)) return {};
  return Object.fromEntries(Object.entries(found).map(([key, text]) => [key, String(text)]));
}

/** Whether labels satisfy a selector of equalities, as a map or as `a=b,c=d` text (`a` alone: exists). */
export function matches(
  labels: Readonly<Record<string, string>>,
  selector: string | Record<string, string>,
): boolean {
  const wanted =
    typeof selector === 'string'
      ? selector
          .split(',')
          .filter(Boolean)
          .map((part): [string, string | undefined] => {
            const [key = '', value] = part.split(/={1,2}/);
            return [key, value];
          })
      : Object.entries(selector);
  return wanted.every(([key, value]) => (value === undefined ? key in labels : labels[key] === value));
}

interface Toleration {
  readonly key?: string;
  readonly operator?: string;
  readonly effect?: string;
}

/** Whether a pod template tolerates every NoSchedule or NoExecute taint of a node. */
export function tolerates(template: unknown, taints: readonly { key: string; effect: string }[]): boolean {
  const tolerations = (field(template, 'spec', 'tolerations') ?? []) as readonly Toleration[];
  return taints
    .filter((taint) => taint.effect !== 'PreferNoSchedule')
    .every((taint) =>
      tolerations.some(
        (toleration) =>
          (toleration.key === undefined || toleration.key === taint.key) &&
          (toleration.effect === undefined || toleration.effect === '' || toleration.effect === taint.effect),
      ),
    );
}
