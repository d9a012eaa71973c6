import { connect } from 'node:net';
import { ClientCertificates } from '../../../appliance/agent/client-certificates.ts';
import { callOver } from '../../../appliance/agent/tunnel.ts';
import type { LabMasters } from './masters.ts';

/** A write that was not acknowledged. */
interface Failure {
  readonly at: string;
  readonly why: string;
}

const path = '/api/v1/namespaces/default/configmaps/writer';

/** Writes a growing number through the cluster's endpoint every 200 ms, and remembers what was acknowledged. */
export class Writer {
  readonly failures: Failure[] = [];
  readonly #masters: LabMasters;
  readonly #identities: ClientCertificates;
  readonly #stopped = new AbortController();
  #acknowledged = 0;
  #attempts = 0;
  #loop: Promise<void> | undefined;

  constructor(masters: LabMasters) {
    this.#masters = masters;
    this.#identities = new ClientCertificates(async () => masters.bench.keys);
  }

  get acknowledged(): number {
    return this.#acknowledged;
  }

  get attempts(): number {
    return this.#attempts;
  }

  start(): void {
    this.#loop = this.#write();
  }

  /** The last number that is really there. */
  async stop(): Promise<number> {
    this.#stopped.abort();
    await this.#loop;
    const found = await this.#masters.bench.ports().kubernetes.get(this.#masters.access, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      namespace: 'default',
      name: 'writer',
    });
    const data = found?.['data'] as { readonly number?: string } | undefined;
    return Number(data?.number ?? 0);
  }

  async #write(): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      this.#attempts += 1;
      try {
        await this.#put(this.#attempts);
        this.#acknowledged = this.#attempts;
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        this.failures.push({ at: new Date().toISOString(), why });
      }
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }

  async #put(number: number): Promise<void> {
    const { host, port } = this.#masters.settings.endpoint;
    const reply = await callOver(
      () => connect({ host, port }),
      await this.#identities.kubernetes(),
      {
        method: 'PATCH',
        path: `${path}?fieldManager=writer&force=true`,
        contentType: 'application/apply-patch+yaml',
        body: JSON.stringify({
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { name: 'writer', namespace: 'default' },
          data: { number: `${number}` },
        }),
      },
      { patience: 10_000, signal: new AbortController().signal, what: 'the endpoint' },
    );
    if (reply.status !== 200 && reply.status !== 201)
      throw new Error(`${reply.status} ${reply.text.trim().slice(0, 200)}`);
  }
}
