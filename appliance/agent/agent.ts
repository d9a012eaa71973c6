import type { Logger } from 'pino';
import { reportOf, UserProblem } from '../../provisioners/contract/problem.ts';
import type { ProviderType } from '../../provisioners/contract/provider.ts';
import type { AnyStep } from '../../provisioners/contract/step.ts';
import { minutes } from '../../provisioners/contract/time.ts';
import { AttemptRunner } from './attempts.ts';
import type { Clock } from './clock.ts';
import { createAuditQuestions } from './audit-delivery/delivery.ts';
import { createBackupQuestions } from './backup/questions.ts';
import { createDirectoryQuestions } from './directory/directory.ts';
import { createTokenQuestions } from './cluster-tokens.ts';
import { enrol, isDue, renew } from './enrolment.ts';
import { createAlertQuestions } from './health/alerts.ts';
import { Watching } from './health/watching.ts';
import { AgentLinkClient } from './link-client.ts';
import type { Reach } from './outgoing/address.ts';
import type { PayloadSupply } from './payload-supply.ts';
import { createPorts, type ProviderFactory } from './ports.ts';
import { requestCertificate } from './pki.ts';
import { type Hello, protocolVersion } from './protocol/dispatch.ts';
import { createHandOverQuestions } from './hand-over.ts';
import { createRotationQuestions } from './key-rotation.ts';
import { createInspectQuestions } from './inspection.ts';
import { createQuestions } from './questions.ts';
import { recipientOf } from './sealing.ts';
import { type KeptEnrolment, StateFolder } from './state-folder.ts';
import { Snapshots } from './snapshots.ts';
import { AttemptStore } from './store.ts';

/** What one agent process is made of; main.ts fills it from the command line. */
export interface AgentOptions {
  /** Holds identity, certificate, attempts and outbox; 0700. */
  readonly stateFolder: string;
  readonly supply: PayloadSupply;
  readonly steps: readonly AnyStep[];
  readonly providers: ReadonlyMap<ProviderType, ProviderFactory>;
  /** Needed once, on the first start: the API's URL and the `<CA hash>.<secret>` token. */
  readonly enrolment?: { readonly server: string; readonly token: string };
  readonly clock: Clock;
  readonly logger: Logger;
  readonly release: string;
  /** What may be reached at addresses that users give. Default: nothing on loopback. */
  readonly reach?: Reach;
}

/** A running agent. */
export interface RunningAgent {
  readonly site: string;
  readonly epoch: number;
  readonly link: AgentLinkClient;
  /** Ends in order; units on machines go on, and so do the attempts with the next process. */
  stop(): Promise<void>;
}

/** How often it is looked whether the certificate should be renewed. */
const renewalLook = minutes(30);

/** Enrols if it must, takes up open attempts, connects. @throws UserProblem when it is not enrolled and has no token. */
export async function startAgent(options: AgentOptions): Promise<RunningAgent> {
  const folder = new StateFolder(options.stateFolder);
  const identity = await folder.identity();
  const recipient = await recipientOf(identity);
  const enrolment = folder.enrolment() ?? (await enrolNow(options, folder, recipient));
  const { site, epoch } = enrolment;
  const store = new AttemptStore(folder.database);
  const { ports, stop: stopPorts } = createPorts({ ...options, identity });
  const steps = new Map(options.steps.map((step) => [step.kind, step]));
  const { clock, logger, reach = { isLoopbackAllowed: false } } = options;
  const snapshots = new Snapshots(clock);
  const runner = new AttemptRunner({ steps, store, ports, clock, epoch, snapshots });
  const watching = new Watching({ ports, clock, epoch, logger, snapshots });
  const hello = (): Hello => ({
    protocol: protocolVersion,
    release: options.release,
    site,
    epoch,
    kinds: Object.fromEntries(options.steps.map(({ kind, version }) => [kind, version])),
    recipient,
    open: runner.open(),
  });
  const link = new AgentLinkClient({
    url: linkUrl(enrolment),
    identity: enrolment,
    hello,
    runner,
    watching,
    questions: {
      ...createQuestions({ ports, steps, supply: options.supply, clock: options.clock, epoch, reach }),
      ...createTokenQuestions({ ports, epoch }),
      ...createDirectoryQuestions({ identity, reach }),
      ...createHandOverQuestions({ ports, epoch }),
      ...createRotationQuestions({ ports, epoch, reach, now: () => clock.now() }),
      ...createInspectQuestions({ ports, epoch, recipient }),
      ...createBackupQuestions({ ports, epoch }),
      ...createAuditQuestions({ identity, reach }),
      ...createAlertQuestions({ identity, reach }),
    },
    logger: options.logger,
  });
  options.logger.info({ site, epoch, recipient, open: runner.open().length }, 'the agent starts');
  runner.resume();
  link.start();
  const stopRenewal = keepRenewed(options.logger, folder, link);
  return {
    site,
    epoch,
    link,
    stop: async () => {
      stopRenewal();
      watching.stop();
      await runner.stop();
      await link.stop();
      await stopPorts();
      store.close();
      folder.close();
    },
  };
}

async function enrolNow(
  { enrolment, release, logger }: AgentOptions,
  folder: StateFolder,
  recipient: string,
): Promise<KeptEnrolment> {
  if (enrolment === undefined) {
    folder.close();
    throw new UserProblem('AGENT-021', 'This agent is not enrolled yet.', {
      remedy:
        'Make a token with `remuda agent token`, and start the agent once with --server URL --enrol-file FILE.',
    });
  }
  try {
    const request = await folder.certificateRequest(requestCertificate);
    const enrolled = await enrol({ ...enrolment, recipient, release, request });
    const kept = { ...enrolled, server: enrolment.server };
    folder.keepEnrolment(kept);
    logger.info({ site: kept.site, epoch: kept.epoch }, 'enrolled');
    return kept;
  } catch (error) {
    folder.close();
    throw error;
  }
}

/** Renews the certificate at half of its life; the daemon may be away for the other half. */
function keepRenewed(logger: Logger, folder: StateFolder, link: AgentLinkClient): () => void {
  const look = async (): Promise<void> => {
    const held = folder.enrolment();
    if (held === undefined || !isDue(held.certificate, Date.now())) return;
    try {
      const renewed = { ...(await renew(held.server, held)), server: held.server };
      folder.keepEnrolment(renewed);
      link.restart(renewed);
      logger.info('the client certificate was renewed');
    } catch (error) {
      logger.warn({ problem: reportOf(error, 'renewal') }, 'the client certificate could not be renewed yet');
    }
  };
  const timer = setInterval(() => void look(), renewalLook);
  void look();
  return () => clearInterval(timer);
}

/** The link is on the API's host, on a port of its own. */
function linkUrl({ server, linkPort }: KeptEnrolment): string {
  const url = new URL(server);
  url.port = `${linkPort}`;
  return url.origin;
}
