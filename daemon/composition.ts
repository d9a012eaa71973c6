import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Logger } from 'pino';
import { Problem } from '../provisioners/contract/problem.ts';
import { AuditExports } from './access/audit-export.ts';
import { SiteAuthority } from './access/authority.ts';
import { Directories, type Reach } from './access/directory.ts';
import { type Door, openDoor } from './access/door.ts';
import { Drafts } from './api/drafts.ts';
import { ensureRecoveryKey } from './access/recovery.ts';
import { sealTo } from './access/sealing.ts';
import { Metrics } from './api/metrics.ts';
import { releaseName } from './api/schemas/release.ts';
import { ApiServer } from './api/server.ts';
import { TokenSweep } from './api/token-sweep.ts';
import { answerFilePlanners } from './operations/answer-file.ts';
import { Engine } from './operations/engine.ts';
import { listenForAgents, SocketLink } from './operations/socket-link.ts';
import { type DaemonOptions, readOptions } from './options.ts';
import { keepCertificateFresh } from './renewal.ts';
import { systemClock } from './state/clock.ts';
import { State } from './state/state.ts';

/** A stop that takes longer than this has hung: the next start resumes from the journal all the same. */
const stopWithin = 10_000;

/** Everything of the house that runs, in the order in which it is stopped. */
interface RunningDaemon {
  readonly port: number;
  readonly linkPort: number;
  stop(): Promise<void>;
}

/** The links to the sites' agents: one object a site for the life of the process. */
class SiteLinks {
  readonly #links = new Map<string, SocketLink>();
  readonly #state: State;
  readonly #logger: Logger;

  constructor(state: State, logger: Logger) {
    this.#state = state;
    this.#logger = logger;
  }

  /** The link of a site, made when it is asked for first. */
  of(site: string): SocketLink {
    const known = this.#links.get(site);
    if (known) return known;
    const link = new SocketLink({
      site,
      epoch: () => this.#state.agents.get(site)?.epoch ?? 0,
      acknowledged: () => this.#state.agents.get(site)?.acknowledged ?? 0,
      onRefused: (problem) => this.#logger.warn({ site, problem }, 'an agent was refused'),
    });
    this.#links.set(site, link);
    return link;
  }

  /** The link of the appliance's own site, whose agent speaks with servers that users name. */
  ofSite(): SocketLink {
    return this.of('local');
  }

  /** The link of a site for which an agent was enrolled; strangers make none. */
  enrolled(site: string): SocketLink | undefined {
    return this.#state.agents.get(site) === undefined ? undefined : this.of(site);
  }
}

/** Wires the daemon's parts and starts them in order: state, authority, engine, link, API. */
async function startDaemon(options: DaemonOptions): Promise<RunningDaemon> {
  const { logger, names } = options;
  const folder = resolve(options.state);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  // The state file is held by one process alone; whoever comes second stops here, before anything is touched.
  const state = new State({ folder });
  try {
    if (state.lastStop === 'unclean')
      logger.warn('the last process did not stop cleanly; resuming from the journal');
    if (state.backup !== undefined)
      logger.info({ backup: state.backup }, 'the state was migrated, with a backup before');
    const recovery = await ensureRecoveryKey(folder);
    const authority = await SiteAuthority.open(join(folder, 'authority'), names);
    const links = new SiteLinks(state, logger);
    const reach: Reach = (name, request) => links.ofSite().reach(name, request);
    const directories = new Directories({ state, reach });
    const auditExports = new AuditExports({ state, reach, clock: systemClock });
    const door = openDoor({ state, folder, authorityHash: authority.hash, directories });
    const admin = door.tokens.ensureAdminToken(folder);
    if (admin.isNew) logger.info({ file: admin.path }, 'the administrator token is in this file');
    const setupCode = door.setup.ensureCode();
    if (setupCode !== undefined)
      logger.info({ file: setupCode }, 'nobody has claimed this server; the set-up code is in this file');
    if (recovery.secretFile !== undefined)
      logger.warn(
        { file: recovery.secretFile },
        'move the recovery key to a safe place that is not this machine',
      );
    const engine = new Engine({
      state,
      links: (site) => links.of(site),
      planners: answerFilePlanners,
      clock: systemClock,
      ids: randomUUID,
      logDirectory: join(folder, 'logs'),
      seal: (plaintext, recipients) => sealTo(recipients, plaintext),
      recoveryRecipient: recovery.recipient,
      health: { every: options.healthEvery },
    });
    return await startListeners(options, {
      state,
      authority,
      door,
      directories,
      auditExports,
      engine,
      links,
    });
  } catch (error) {
    state.close();
    throw error;
  }
}

interface Parts {
  readonly state: State;
  readonly authority: SiteAuthority;
  readonly door: Door;
  readonly directories: Directories;
  readonly auditExports: AuditExports;
  readonly engine: Engine;
  readonly links: SiteLinks;
}

async function startListeners(options: DaemonOptions, parts: Parts): Promise<RunningDaemon> {
  const { logger, names } = options;
  const { state, authority, door, directories, auditExports, engine, links } = parts;
  const identity = await authority.serverIdentity(names);
  if (identity.refused.length > 0)
    logger.warn({ names: identity.refused }, 'the site CA may not sign for these names of this host');
  const link = await listenForAgents({
    ...options.linkListen,
    certificate: identity.cert,
    key: identity.key,
    authority: authority.certificate,
    linkOf: (site) => links.enrolled(site),
  });
  await engine.start();
  const api = new ApiServer({
    ...options.listen,
    identity,
    wizard: options.wizard,
    services: {
      engine,
      door,
      directories,
      auditExports,
      drafts: new Drafts(state.answerDrafts, door.key),
      state,
      audit: state.audit,
      clusterOfOperation: (operation) => state.clusterOfOperation(operation),
      authority,
      metrics: new Metrics(engine, () => state.operations.countByState()),
      logger,
      release: releaseName,
      startedAt: new Date().toISOString(),
      linkPort: () => link.port,
    },
  });
  const { port } = await api.start();
  auditExports.start();
  const sweep = new TokenSweep({
    state,
    identities: door.identities,
    credentials: engine.credentials,
    clock: systemClock,
    logger,
  });
  sweep.start();
  const endRenewal = keepCertificateFresh({ authority, names, api, link, logger });
  return {
    port,
    linkPort: link.port,
    async stop() {
      endRenewal();
      await api.stop();
      auditExports.stop();
      sweep.stop();
      await engine.stop();
      await link.stop();
      state.close();
    },
  };
}

/** Tells systemd (or nobody) that the daemon takes on work; sd_notify(3). */
function notifyReady(logger: Logger): void {
  if (process.env['NOTIFY_SOCKET'] === undefined) return;
  execFile('systemd-notify', ['--ready', `--pid=${process.pid}`], (error) => {
    if (error) logger.warn({ err: error }, 'systemd could not be told that the daemon is ready');
  });
}

function stopOnSignals(daemon: RunningDaemon, logger: Logger): void {
  let isStopping = false;
  const stop = (signal: NodeJS.Signals): void => {
    if (isStopping) return;
    isStopping = true;
    logger.info({ signal }, 'stopping');
    setTimeout(() => process.exit(1), stopWithin).unref();
    void daemon.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        logger.error({ err: error }, 'the stop was not clean');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

function explainAndExit(error: unknown): never {
  if (error instanceof Problem) {
    const { code, summary, remedy } = error.report;
    console.error(`remuda daemon: ${code}: ${summary}${remedy === undefined ? '' : `\n${remedy}`}`);
    process.exit(error.report.kind === 'user' ? 2 : 1);
  }
  console.error('remuda daemon could not start:', error);
  process.exit(1);
}

/** Starts the daemon that a command line asks for, and ends the process when it cannot be. */
export async function runDaemon(words: readonly string[]): Promise<void> {
  try {
    const options = readOptions(words);
    const daemon = await startDaemon(options);
    stopOnSignals(daemon, options.logger);
    notifyReady(options.logger);
    options.logger.info({ port: daemon.port, linkPort: daemon.linkPort }, 'ready');
  } catch (error) {
    explainAndExit(error);
  }
}
