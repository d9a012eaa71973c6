import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { join } from 'node:path';
import pino from 'pino';
import { AttemptRunner } from '../../appliance/agent/attempts.ts';
import { AgentLinkClient, type LinkIdentity } from '../../appliance/agent/link-client.ts';
import { requestCertificate } from '../../appliance/agent/pki.ts';
import { protocolVersion } from '../../appliance/agent/protocol/dispatch.ts';
import { AttemptStore } from '../../appliance/agent/store.ts';
import { SiteAuthority } from '../../daemon/access/authority.ts';
import { steps } from '../../provisioners/kubernetes/steps.ts';
import type { Caller } from '../fleet/model/fleet.ts';
import { Door } from '../fleet/ports/door.ts';
import { fakeSecrets, fleetPorts } from '../fleet/ports/ports.ts';
import { socketCarry } from './model-socket.ts';
import { fleetQuestions, keysIn } from './parts.ts';
import { killRun, scaledClock } from './scaled-clock.ts';

const run = killRun();
const clock = scaledClock(run);
const carry = socketCarry(run.modelSocket);
const agentClock = { now: clock.now, sleep: clock.sleep, random: Math.random };
const door = (by: Caller): Door => new Door({ by, carry, sleep: (duration) => clock.sleep(duration) });

/** The client certificate, kept over restarts as the real agent keeps its own. */
async function identity(): Promise<LinkIdentity> {
  const file = join(run.folder, 'agent.json');
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as LinkIdentity;
  const authority = await SiteAuthority.open(join(run.folder, 'authority'));
  const { request, key } = await requestCertificate();
  const certificate = await authority.signAgent(request, { site: 'local', epoch: run.epoch });
  const made = { authority: authority.certificate, certificate, key };
  // Whole or not at all, as the real agent's own file: this process may be killed between any two lines.
  writeFileSync(`${file}.new`, JSON.stringify(made), { mode: 0o600 });
  renameSync(`${file}.new`, file);
  return made;
}

const store = new AttemptStore(join(run.folder, 'agent.db'));
const runner = new AttemptRunner({
  steps: new Map(steps.map((step) => [step.kind, step])),
  store,
  epoch: run.epoch,
  clock: agentClock,
  ports: (work) =>
    fleetPorts(
      door({ ...work.key, epoch: work.epoch }),
      fakeSecrets(undefined, keysIn(work.context)),
      (text, machine) => work.log(text, machine),
    ),
});
const client = new AgentLinkClient({
  url: `https://127.0.0.1:${run.linkPort}`,
  identity: await identity(),
  hello: () => ({
    protocol: protocolVersion,
    release: '0.1.0',
    site: 'local',
    epoch: run.epoch,
    kinds: Object.fromEntries(steps.map(({ kind, version }) => [kind, version])),
    recipient: 'age1fake',
    open: runner.open(),
  }),
  runner,
  questions: fleetQuestions(
    (keys) =>
      fleetPorts(
        door({ operation: '-', step: 'question', attempt: 0, epoch: run.epoch }),
        fakeSecrets(undefined, keys),
      ),
    agentClock,
  ),
  logger: pino({ level: 'silent' }),
  patience: 1000,
});
runner.resume();
client.start();
process.on('disconnect', () => process.exit(0));
process.send?.('ready');
// Nobody ends this process but by a kill, which would not keep what was compiled.
flushCompileCache();
