import { z } from 'zod';
import { Transient } from '../../../provisioners/contract/problem.ts';

/** A kind as the API server serves it. */
export interface ApiResource {
  /** `/api/v1`, `/apis/apps/v1`. */
  readonly base: string;
  /** `pods`, `deployments`. */
  readonly plural: string;
  readonly namespaced: boolean;
}

const resourceList = z.looseObject({
  resources: z.array(z.looseObject({ name: z.string(), kind: z.string(), namespaced: z.boolean() })),
});

/** Plurals and scopes of kinds, asked of the server once a group version, and again when a kind is new. */
export class Discovery {
  readonly #known = new Map<string, readonly { name: string; kind: string; namespaced: boolean }[]>();

  /** @throws Transient KUBE-105 when the server does not serve the kind (yet). */
  async find(
    of: { readonly apiVersion: string; readonly kind: string },
    fetch: (path: string) => Promise<unknown>,
  ): Promise<ApiResource> {
    const base = of.apiVersion.includes('/') ? `/apis/${of.apiVersion}` : `/api/${of.apiVersion}`;
    const find = () =>
      // Subresources share the kind of their owner; their names have a slash.
      this.#known.get(base)?.find(({ kind, name }) => kind === of.kind && !name.includes('/'));
    let found = find();
    if (found === undefined) {
      const answer = await fetch(base);
      if (answer !== undefined) this.#known.set(base, resourceList.parse(answer).resources);
      found = find();
    }
    if (found === undefined)
      throw new Transient('KUBE-105', `The API server does not serve ${of.kind} of ${of.apiVersion} (yet).`);
    return { base, plural: found.name, namespaced: found.namespaced };
  }
}

/** Path of all objects of a kind, in one namespace or in all. */
export function collectionPath(resource: ApiResource, namespace: string | undefined): string {
  const inNamespace = resource.namespaced && namespace !== undefined ? `/namespaces/${namespace}` : '';
  return `${resource.base}${inNamespace}/${resource.plural}`;
}

/** Path of one object; a namespaced one without a namespace is in `default`, as kubectl has it. */
export function objectPath(
  resource: ApiResource,
  reference: { readonly namespace?: string; readonly name: string },
): string {
  const collection = collectionPath(resource, reference.namespace ?? 'default');
  return `${collection}/${encodeURIComponent(reference.name)}`;
}
