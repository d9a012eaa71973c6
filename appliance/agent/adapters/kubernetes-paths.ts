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
  resources: z.array(
    z.looseObject({
      name: z.string(),
      kind: z.string(),
      namespaced: z.boolean(),
      group: z.string().optional(),
      version: z.string().optional(),
    }),
  ),
});
type Resources = z.infer<typeof resourceList>['resources'];

/** Reads what is served at a path; undefined when nothing is. */
type Fetch = (path: string) => Promise<unknown>;

/** Plurals and scopes of kinds, asked of the server once a group version, and again when a kind is new. */
export class Discovery {
  readonly #known = new Map<string, Resources>();

  /** @throws Transient KUBE-105 when the server does not serve the kind (yet). */
  async find(of: { readonly apiVersion: string; readonly kind: string }, fetch: Fetch): Promise<ApiResource> {
    const base = of.apiVersion.includes('/') ? `/apis/${of.apiVersion}` : `/api/${of.apiVersion}`;
    const find = () =>
      // Subresources share the kind of their owner; their names have a slash.
      this.#known.get(base)?.find(({ kind, name }) => kind === of.kind && !name.includes('/'));
    let found = find();
    if (found === undefined) {
      await this.#ask(base, fetch);
      found = find();
    }
    if (found === undefined)
      throw new Transient('KUBE-105', `The API server does not serve ${of.kind} of ${of.apiVersion} (yet).`);
    return { base, plural: found.name, namespaced: found.namespaced };
  }

  /**
   * Group and version in which the server takes evictions: a subresource of pods that says so of itself. Its budgets
   * are served in the same one in every minor (policy/v1beta1 up to 1.24; policy/v1 of budgets from 1.21, of evictions
   * from 1.22).
   * @throws Transient KUBE-105 when it takes none (yet)
   */
  async evictionApi(fetch: Fetch): Promise<string> {
    const base = '/api/v1';
    if (!this.#known.has(base)) await this.#ask(base, fetch);
    const found = this.#known.get(base)?.find(({ name }) => name === 'pods/eviction');
    if (found?.group === undefined || found.version === undefined)
      throw new Transient('KUBE-105', 'The API server does not serve evictions of pods (yet).');
    return `${found.group}/${found.version}`;
  }

  async #ask(base: string, fetch: Fetch): Promise<void> {
    const answer = await fetch(base);
    if (answer !== undefined) this.#known.set(base, resourceList.parse(answer).resources);
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
