import { z } from 'zod';
import type { MachineRef } from '../../../provisioners/contract/machine.ts';
import type { ControlPlaneAccess } from '../../../provisioners/contract/ports/etcd.ts';
import type { KubernetesObject, KubernetesPort } from '../../../provisioners/contract/ports/kubernetes.ts';
import { Blocked, Transient } from '../../../provisioners/contract/problem.ts';
import type { ClientCertificates } from '../client-certificates.ts';
import type { KeptConnections } from '../kept-connections.ts';
import type { Machines } from '../machines.ts';
import { type Call, callOver, type Reply, type Transport } from '../tunnel.ts';
import { collectionPath, Discovery, objectPath } from './kubernetes-paths.ts';
import { refused } from './kubernetes-refusal.ts';

const patience = 20_000;
/** An endpoint that is up answers at once; one that is down is asked again soon. */
export const probePatience = 5000;
/** Objects a page, the number kubectl uses. */
const pageSize = 500;

const versionSchema = z.object({ gitVersion: z.string() });
const listSchema = z.looseObject({
  metadata: z.looseObject({ continue: z.string().optional() }).optional(),
  items: z.array(z.looseObject({ metadata: z.looseObject({ name: z.string() }) })).nullable(),
});

/** Requests to whichever master answers. */
export class Api {
  readonly #machines: Machines;
  readonly #certificates: ClientCertificates;
  readonly #signal: () => AbortSignal;
  readonly #connections: KeptConnections | undefined;
  readonly #discovery = new Discovery();
  /** Name of the master that answered last: a dead one is not tried first for ever. */
  #last: string | undefined;

  constructor(
    machines: Machines,
    certificates: ClientCertificates,
    signal: () => AbortSignal,
    connections?: KeptConnections,
  ) {
    this.#connections = connections;
    this.#machines = machines;
    this.#certificates = certificates;
    this.#signal = signal;
  }

  async ask(access: ControlPlaneAccess, call: Call): Promise<Reply> {
    const problems: string[] = [];
    const masters = [...access.masters].sort(
      (a, b) => Number(b.name === this.#last) - Number(a.name === this.#last),
    );
    for (const master of masters) {
      try {
        const reply = await this.#call(
          master,
          () => this.#machines.forward(master, '127.0.0.1', access.apiPort),
          call,
          patience,
        );
        this.#last = master.name;
        return reply;
      } catch (error) {
        if (!(error instanceof Transient) && !(error instanceof Blocked)) throw error;
        problems.push(error.message);
      }
    }
    throw new Transient(
      'KUBE-101',
      `No API server answers: ${problems.join('; ') || 'there is no master to ask'}`,
    );
  }

  /** The version, only when /readyz passes; undefined when nobody answers. */
  async version(master: Pick<MachineRef, 'name'>, transport: Transport): Promise<string | undefined> {
    try {
      const ask = (path: string): Promise<Reply> =>
        this.#call(master, transport, { method: 'GET', path }, probePatience);
      const [ready, reply] = await Promise.all([ask('/readyz'), ask('/version')]);
      if (ready.status !== 200) return undefined;
      return reply.status === 200 ? versionSchema.parse(JSON.parse(reply.text)).gitVersion : undefined;
    } catch (error) {
      if (error instanceof Transient || error instanceof Blocked) return undefined;
      throw error;
    }
  }

  async list(
    access: ControlPlaneAccess,
    of: Parameters<KubernetesPort['list']>[1],
  ): Promise<KubernetesObject[]> {
    const collection = collectionPath(await this.resource(access, of), of.namespace);
    const found: KubernetesObject[] = [];
    let next: string | undefined = '';
    while (next !== undefined) {
      const query = new URLSearchParams({ limit: `${pageSize}` });
      if (of.labelSelector !== undefined) query.set('labelSelector', of.labelSelector);
      if (of.fieldSelector !== undefined) query.set('fieldSelector', of.fieldSelector);
      if (next !== '') query.set('continue', next);
      const reply = await this.ask(access, { method: 'GET', path: `${collection}?${query}` });
      if (reply.status !== 200) throw refused(reply, `the list of ${of.kind}`);
      const page = listSchema.parse(JSON.parse(reply.text));
      // Items of a list do not repeat the list's own apiVersion and kind.
      for (const item of page.items ?? []) found.push({ ...item, apiVersion: of.apiVersion, kind: of.kind });
      const token: string | undefined = page.metadata?.continue;
      next = token === undefined || token === '' ? undefined : token;
    }
    return found;
  }

  async apply(access: ControlPlaneAccess, object: KubernetesObject): Promise<void> {
    const { apiVersion, kind, metadata } = object;
    const reference = {
      apiVersion,
      kind,
      name: metadata.name,
      ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
    };
    const path = objectPath(await this.resource(access, reference), reference);
    const reply = await this.ask(access, {
      method: 'PATCH',
      path: `${path}?fieldManager=remuda&force=true`,
      // JSON is YAML; the type is what makes it a server-side apply.
      contentType: 'application/apply-patch+yaml',
      body: JSON.stringify(object),
    });
    if (reply.status !== 200 && reply.status !== 201) throw refused(reply, `${kind} ${metadata.name}`);
  }

  /** The object of a reply; undefined when there is none. */
  json(reply: Reply): KubernetesObject | undefined {
    if (reply.status === 404) return undefined;
    if (reply.status < 200 || reply.status >= 300) throw refused(reply, 'a request');
    return JSON.parse(reply.text) as KubernetesObject;
  }

  /** How a kind is called in paths, from the server's own discovery. */
  resource(access: ControlPlaneAccess, of: { readonly apiVersion: string; readonly kind: string }) {
    return this.#discovery.find(of, this.#discover(access));
  }

  /** Group and version in which the server takes evictions. */
  evictionApi(access: ControlPlaneAccess): Promise<string> {
    return this.#discovery.evictionApi(this.#discover(access));
  }

  #discover(access: ControlPlaneAccess): (path: string) => Promise<unknown> {
    return async (path) => {
      const reply = await this.ask(access, { method: 'GET', path });
      if (reply.status === 404) return undefined;
      if (reply.status !== 200) throw refused(reply, `discovery at ${path}`);
      return JSON.parse(reply.text) as unknown;
    };
  }

  async #call(
    master: Pick<MachineRef, 'name'>,
    transport: Transport,
    call: Call,
    wait: number,
  ): Promise<Reply> {
    return callOver(transport, await this.#certificates.kubernetes(), call, {
      patience: wait,
      signal: this.#signal(),
      what: `the API server on ${master.name}`,
      kept: this.#connections,
      server: `kubernetes ${master.name}`,
    });
  }
}
