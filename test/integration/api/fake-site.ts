import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { SiteAuthority } from '../../../daemon/access/authority.ts';
import { AuditExports } from '../../../daemon/access/audit-export.ts';
import { Directories } from '../../../daemon/access/directory.ts';
import { type Door, openDoor } from '../../../daemon/access/door.ts';
import type { AccessTokens } from '../../../daemon/access/tokens.ts';
import { Drafts } from '../../../daemon/api/drafts.ts';
import { Metrics } from '../../../daemon/api/metrics.ts';
import { ApiServer, type ApiServerOptions } from '../../../daemon/api/server.ts';
import { systemClock } from '../../../daemon/state/clock.ts';
import { State } from '../../../daemon/state/state.ts';
import { FakeEngine } from './fake-engine.ts';

/** A real HTTPS API with real tokens, audit and state, in front of a fake engine. */
export interface FakeSite extends AsyncDisposable {
  readonly engine: FakeEngine;
  readonly state: State;
  readonly tokens: AccessTokens;
  readonly door: Door;
  readonly authority: SiteAuthority;
  readonly folder: string;
  readonly url: string;
  /** Whole token of the administrator: `<CA hash>.<secret>`. */
  readonly admin: string;
  /** Everything that was logged. */
  readonly log: string[];
  /** Listens again on the same port after {@link pause}. */
  resume(): Promise<void>;
  /** The daemon goes away: the port is closed, connections are cut. */
  pause(): Promise<void>;
  /** Moves the clock of the tokens. */
  advance(milliseconds: number): void;
}

/** Starts one on a free port of loopback, in a folder of its own that goes away with it. */
export async function startFakeSite(
  options?: Pick<Partial<ApiServerOptions>, 'requestWithin' | 'acknowledgeWithin' | 'wizard'>,
): Promise<FakeSite> {
  const folder = mkdtempSync(join(tmpdir(), 'remuda-api-'));
  const state = new State({ folder, reserveBytes: 65_536 });
  const authority = await SiteAuthority.open(join(folder, 'authority'));
  let offset = 0;
  const now = (): number => Date.now() + offset;
  const reach = (): Promise<never> => Promise.reject(new Error('no agent'));
  const directories = new Directories({ state, reach });
  const door = openDoor({ state, folder, authorityHash: authority.hash, directories, now });
  const { tokens } = door;
  door.setup.ensureCode();
  const engine = new FakeEngine();
  const identity = await authority.serverIdentity();
  const log: string[] = [];
  const services = {
    engine,
    door,
    directories,
    auditExports: new AuditExports({ state, reach, clock: systemClock }),
    drafts: new Drafts(state.answerDrafts, door.key, now),
    state,
    audit: state.audit,
    clusterOfOperation: (operation: string) =>
      engine.operations.get(operation)?.cluster.name ?? state.clusterOfOperation(operation),
    authority,
    metrics: new Metrics(engine),
    logger: pino({ level: 'trace' }, { write: (line: string) => log.push(line) }),
    release: '0.0.0-test',
    startedAt: new Date().toISOString(),
    linkPort: () => 8444,
  };
  const serve = (port: number): ApiServer =>
    new ApiServer({ host: '127.0.0.1', port, identity, services, ...options });
  let server = serve(0);
  const { port } = await server.start();
  return {
    engine,
    state,
    tokens,
    door,
    authority,
    folder,
    log,
    url: `https://127.0.0.1:${port}`,
    admin: tokens.issue({ name: 'admin', role: 'admin', days: 1 }).token,
    advance: (milliseconds) => {
      offset += milliseconds;
    },
    pause: () => server.stop(),
    async resume() {
      server = serve(port);
      await server.start();
    },
    async [Symbol.asyncDispose]() {
      await server.stop();
      state.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
