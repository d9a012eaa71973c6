import { expect } from 'vitest';
import type { OperationDetail, Supplies } from '../../daemon/api/types.ts';
import type { FleetSite } from './fleet-site.ts';
import { insecureFetch } from './insecure-fetch.ts';

/** The API of a site as a program with the administrator's token uses it: what a test sets up beside the browser. */
export class FleetApi {
  readonly #site: FleetSite;

  constructor(site: FleetSite) {
    this.#site = site;
  }

  async ask<Answer>(method: 'GET' | 'POST' | 'PUT', path: string, body?: object): Promise<Answer> {
    const answer = await insecureFetch(`${this.#site.url}${path}`, {
      method,
      headers: { Authorization: `Bearer ${this.#site.token}`, 'Content-Type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return JSON.parse(answer) as Answer;
  }

  /** Waits until an operation has ended well. */
  async succeeded(id: string): Promise<void> {
    const state = async (): Promise<string> =>
      (await this.ask<OperationDetail>('GET', `/api/v1/operations/${id}`)).state;
    await expect.poll(state, { timeout: 90_000 }).toBe('succeeded');
  }

  /** Applies an answer file, as soon as the agent is there, and waits until all it begins has ended well. */
  async make(text: string): Promise<void> {
    const agent = async (): Promise<boolean> =>
      (await this.ask<Supplies>('GET', '/api/v1/supplies')).sites.some(
        ({ agent: { state } }) => state === 'connected',
      );
    await expect.poll(agent, { timeout: 30_000 }).toBe(true);
    const { operations } = await this.ask<{ readonly operations: readonly OperationDetail[] }>(
      'POST',
      '/api/v1/apply',
      { text, file: 'test.yaml' },
    );
    for (const { id } of operations) await this.succeeded(id);
  }
}
