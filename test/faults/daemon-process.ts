import { join } from 'node:path';
import { SiteAuthority } from '../../daemon/access/authority.ts';
import { answerFilePlanners } from '../../daemon/operations/answer-file.ts';
import { Engine } from '../../daemon/operations/engine.ts';
import { listenForAgents, SocketLink } from '../../daemon/operations/socket-link.ts';
import { State } from '../../daemon/state/state.ts';
import { fakeSeal } from './parts.ts';
import { killRun, scaledClock } from './scaled-clock.ts';

/** What the test asks of the daemon over its IPC channel, as the CLI would over HTTP. */
export type DaemonQuestion =
  | { readonly ask: 'apply'; readonly text: string; readonly key: string }
  | { readonly ask: 'delete'; readonly name: string; readonly key: string }
  | { readonly ask: 'operation'; readonly id: string };

/** The answer: an operation, or why there is none. */
export interface DaemonAnswer {
  readonly id?: string;
  readonly state?: string;
  readonly waitingFor?: string;
  readonly problem?: string;
  readonly refused?: string;
}

const run = killRun();
const clock = scaledClock(run);
const engineClock = { now: () => clock.milliseconds(), after: clock.later };
const authority = await SiteAuthority.open(join(run.folder, 'authority'));
const state = new State({ folder: join(run.folder, 'daemon'), reserveBytes: 4096, clock: engineClock });
const link = new SocketLink({
  site: 'local',
  epoch: () => run.epoch,
  acknowledged: () => engine.acknowledgedSequence('local', run.epoch),
});
const engine: Engine = new Engine({
  state,
  links: () => link,
  planners: answerFilePlanners,
  clock: engineClock,
  ids: () => crypto.randomUUID(),
  logDirectory: join(run.folder, 'logs'),
  seal: fakeSeal,
});

if (run.epoch === 0) await enrolFirst();
else await serve();

/** The first start of a run: makes the site's agent known, says its epoch, and ends. */
async function enrolFirst(): Promise<void> {
  await engine.start();
  const token = await engine.createEnrolmentToken({ site: 'local', principal: 'tester', minutes: 1_000_000 });
  const { epoch } = await engine.enrolAgent({
    secret: token.secret,
    request: 'PKCS10',
    recipient: 'age1fake',
    release: '0.1.0',
  });
  await engine.stop();
  state.close();
  process.send?.({ epoch });
  process.disconnect();
}

async function serve(): Promise<void> {
  const { key, cert } = await authority.serverIdentity();
  await listenForAgents({
    host: '127.0.0.1',
    port: run.linkPort,
    key,
    certificate: cert,
    authority: authority.certificate,
    linkOf: (site) => (site === 'local' ? link : undefined),
  });
  await engine.start();
  process.on('message', (question: DaemonQuestion) => {
    void answer(question).then((given) => process.send?.(given));
  });
  process.on('disconnect', () => process.exit(0));
  process.send?.('ready');
}

async function answer(question: DaemonQuestion): Promise<DaemonAnswer> {
  try {
    return await act(question);
  } catch (error) {
    return { refused: error instanceof Error ? error.message : String(error) };
  }
}

async function act(question: DaemonQuestion): Promise<DaemonAnswer> {
  if (question.ask === 'apply') {
    const { operations } = await engine.apply({
      text: question.text,
      file: 'cluster.yaml',
      principal: 'tester',
      idempotencyKey: question.key,
    });
    return operations[0] === undefined ? {} : { id: operations[0].id, state: operations[0].state };
  }
  if (question.ask === 'delete') {
    const view = await engine.deleteCluster({
      name: question.name,
      principal: 'tester',
      confirm: question.name,
      idempotencyKey: question.key,
    });
    return { id: view.id, state: view.state };
  }
  const { id, state: where, problem, waitingFor } = engine.getOperation(question.id);
  return {
    id,
    state: where,
    ...(problem === undefined ? {} : { problem: problem.summary }),
    ...(waitingFor === undefined ? {} : { waitingFor }),
  };
}
