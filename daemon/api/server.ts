import express from 'express';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { ServerIdentity } from '../access/authority.ts';
import { LiveEvents } from './live.ts';
import { describeApi } from './openapi.ts';
import type { Route, Services } from './route.ts';
import { routerOf } from './router.ts';
import { routeTable } from './routes/routes.ts';
import { descriptionRoute } from './routes/server.ts';
import { wizardFiles } from './wizard-files.ts';

/** Where the API listens. */
export interface ApiServerOptions {
  readonly host: string;
  /** 0 = any free one. */
  readonly port: number;
  readonly identity: ServerIdentity;
  readonly services: Services;
  /** Folder of the built wizard; absent = there are no pages. */
  readonly wizard?: string;
  /** Milliseconds a request may take to arrive whole; default {@link requestWithin}. */
  readonly requestWithin?: number;
  /** Milliseconds a live client has to acknowledge a batch; default 30 s. */
  readonly acknowledgeWithin?: number;
}

/** Headers of every answer: nothing of ours is to be framed, sniffed, cached or referred to. */
const securityHeaders = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'Strict-Transport-Security': 'max-age=31536000',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
} as const;

/** Who does not finish head or body in this time is cut off: slow senders hold no connection for long. */
const headersWithin = 10_000;
const requestWithin = 30_000;
/** Time that running requests get at a stop. */
const stopWithin = 2_000;

/** All routes with the description of them all. */
export function completeTable(release: string): readonly Route[] {
  const table: readonly Route[] = [...routeTable, descriptionRoute(() => description)];
  const description = describeApi(table, release);
  return table;
}

/** HTTPS with the API, the probes, the metrics and the live events. */
export class ApiServer {
  readonly #options: ApiServerOptions;
  readonly #server: Server;
  readonly #live: LiveEvents;

  constructor(options: ApiServerOptions) {
    this.#options = options;
    const { identity, services, requestWithin: patience = requestWithin } = options;
    const app = express();
    app.disable('x-powered-by');
    app.disable('etag');
    app.set('query parser', 'simple');
    app.use((_request, response, next) => {
      response.setHeaders(new Map(Object.entries(securityHeaders)));
      next();
    });
    if (options.wizard !== undefined) app.use(wizardFiles(options.wizard));
    app.use(routerOf(completeTable(services.release), services));
    this.#server = createServer(
      {
        key: identity.key,
        cert: identity.cert,
        minVersion: 'TLSv1.2',
        // Agents renew with their certificate; everybody else brings none, and is not refused for it here.
        requestCert: true,
        rejectUnauthorized: false,
        ca: services.authority.certificate,
        headersTimeout: Math.min(headersWithin, patience),
        requestTimeout: patience,
        connectionsCheckingInterval: Math.min(1_000, patience),
        handshakeTimeout: headersWithin,
      },
      app,
    );
    // Tens of half-open strangers must not keep a person out; thousands are more than one small appliance serves.
    this.#server.maxConnections = 2_000;
    this.#live = new LiveEvents(services, options);
  }

  /** @throws Error of node:net when the address is taken or not ours. */
  async start(): Promise<{ readonly port: number }> {
    this.#live.start(this.#server);
    const { host, port } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port }, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
    return { port: (this.#server.address() as AddressInfo).port };
  }

  /** Takes over a renewed certificate without a pause. */
  renew(identity: ServerIdentity): void {
    this.#server.setSecureContext({
      key: identity.key,
      cert: identity.cert,
      ca: this.#options.services.authority.certificate,
    });
  }

  /** Lets running requests end for a moment, then closes. */
  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    await this.#live.stop();
    this.#server.closeIdleConnections();
    const cut = setTimeout(() => this.#server.closeAllConnections(), stopWithin);
    await closed;
    clearTimeout(cut);
  }
}
