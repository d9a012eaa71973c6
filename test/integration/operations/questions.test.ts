import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { systemClock } from '../../../appliance/agent/clock.ts';
import { AgentLinkClient } from '../../../appliance/agent/link-client.ts';
import { requestCertificate } from '../../../appliance/agent/pki.ts';
import { protocolVersion } from '../../../appliance/agent/protocol/dispatch.ts';
import { SiteAuthority } from '../../../daemon/access/authority.ts';
import { listenForAgents, type LinkListener, SocketLink } from '../../../daemon/operations/socket-link.ts';
import { Blocked, Problem, Transient, UserProblem } from '../../../provisioners/contract/problem.ts';
import { answerFile } from '../../faults/answer-file.ts';
import { World } from '../../faults/harness.ts';
import { fleetQuestions } from '../../faults/parts.ts';
import { callFleet } from '../../fleet/model/calls.ts';
import { Fleet } from '../../fleet/model/fleet.ts';
import { type Carry, Door } from '../../fleet/ports/door.ts';
import { fakeSecrets, fleetPorts } from '../../fleet/ports/ports.ts';
import { bench, dispatchOf, fakeStep } from '../../unit/agent/bench.ts';

let folder: string;
let link: SocketLink;
let listener: LinkListener;
let client: AgentLinkClient | undefined;
let world: World | undefined;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'remuda-questions-'));
});

afterEach(async () => {
  await client?.stop();
  await listener?.stop();
  world?.close();
  client = undefined;
  world = undefined;
  rmSync(folder, { recursive: true });
});

/** A real agent's end behind a real socket: mutual TLS on loopback. */
async function connect(
  questions: ConstructorParameters<typeof AgentLinkClient>[0]['questions'],
): Promise<void> {
  const authority = await SiteAuthority.open(folder);
  const { key: serverKey, cert } = await authority.serverIdentity();
  link = new SocketLink({ site: 'home', epoch: () => 1, acknowledged: () => 0 });
  const connected = new Promise<void>((resolve) => link.onConnected(() => resolve()));
  listener = await listenForAgents({
    host: '127.0.0.1',
    port: 0,
    key: serverKey,
    certificate: cert,
    authority: authority.certificate,
    linkOf: () => link,
  });
  const { request, key } = await requestCertificate();
  const certificate = await authority.signAgent(request, { site: 'home', epoch: 1 });
  const { runner } = bench(fakeStep({ observe: () => ({ state: 'done', facts: 7 }), apply: () => {} }), {
    epoch: 1,
    clock: systemClock,
  });
  client = new AgentLinkClient({
    url: `https://127.0.0.1:${listener.port}`,
    identity: { authority: authority.certificate, certificate, key },
    hello: () => ({
      protocol: protocolVersion,
      release: 'test',
      site: 'home',
      epoch: 1,
      kinds: {},
      recipient: 'age1x',
      open: [],
    }),
    runner,
    questions,
    logger: pino({ level: 'silent' }),
    patience: 500,
  });
  client.start();
  await connected;
}

/** The fleet's answers, with one replaced. */
const answers = (more: object): Parameters<typeof connect>[0] =>
  Object.assign(
    fleetQuestions(() => {
      throw new Error('there is nothing to look at');
    }, systemClock),
    more,
  );

it('an agent’s problem is of the same class on the daemon’s side of the socket, remedy and all', async () => {
  const { context } = dispatchOf();
  const thrown = [
    new Transient('T-1', 'not now', { machine: 'm1' }),
    new Blocked('B-1', 'the plug is out', { remedy: 'put it in' }),
    new UserProblem('U-1', 'that cannot be', { remedy: 'write another' }),
    new Error('our own bug'),
  ];
  const left = [...thrown];
  await connect(answers({ machines: () => Promise.reject(left.shift() ?? new Error('asked too often')) }));
  const heard: unknown[] = [];
  for (const _ of thrown)
    heard.push(await link.ask('machines', { context }).catch((error: unknown) => error));
  for (const [index, kind] of [Transient, Blocked, UserProblem, Problem].entries())
    expect(heard[index]).toBeInstanceOf(kind);
  expect(heard.slice(0, 3).map((error) => (error as Problem).report)).toEqual(
    thrown.slice(0, 3).map((error) => (error as Problem).report),
  );
  expect((heard[3] as Problem).report.kind).toBe('fault');
});

it('checks are asked over the real socket: all their findings, and why one could not be looked at', async () => {
  const fleet = new Fleet();
  const by = { operation: '-', step: 'question', attempt: 0, epoch: 1 };
  const carry: Carry = async (name, given, caller) => callFleet(fleet, name, given, caller);
  const door = new Door({ carry, by, sleep: async () => undefined });
  await connect(fleetQuestions(() => fleetPorts(door, fakeSecrets()), systemClock));
  const room = { machines: [{ name: 'm1', cpus: 2, memory: 2 ** 31 }], bypass: [] };
  const steps = [
    { id: 'provider.preflight/cluster', kind: 'provider.preflight', version: 1, input: room },
    { id: 'payload.preflight/cluster', kind: 'payload.preflight', version: 1, input: { wrong: true } },
    { id: 'no.check/cluster', kind: 'no.check', version: 1, input: {} },
  ];
  const results = await link.preflight({ context: dispatchOf().context, steps });
  expect(results.map(({ step }) => step)).toEqual(steps.map(({ id }) => id));
  const [checked, unread, unknown] = results;
  expect(checked?.problem).toBeUndefined();
  expect(checked?.findings.map(({ outcome }) => outcome)).toEqual(checked?.findings.map(() => 'passed'));
  expect(checked?.findings).not.toEqual([]);
  expect([unread?.findings, unread?.problem?.kind]).toEqual([[], 'fault']);
  expect(unknown?.problem?.summary).toContain('no.check');
  await client?.stop();
  await expect(link.preflight({ context: dispatchOf().context, steps })).rejects.toBeInstanceOf(Transient);
});

it('preflight of a file on the fleet: what can be checked now is, nothing is made, and an absent agent is said', async () => {
  const opened = new World();
  world = opened;
  await opened.open();
  const request = { text: answerFile(), file: 'cluster.yaml', principal: 'tester' };
  const answer = await opened.run(opened.request((engine) => engine.preflight(request)));
  const [cluster] = answer.clusters;
  expect(cluster?.checks.map(({ step }) => step)).toEqual([
    'provider.preflight/cluster',
    'payload.preflight/cluster',
  ]);
  expect(cluster?.checks.flatMap(({ findings }) => findings).length).toBeGreaterThan(0);
  expect(answer.isPassed, JSON.stringify(cluster?.checks)).toBe(true);
  expect(cluster?.later.length).toBeGreaterThan(0);
  expect([opened.fleet.mutatingCalls, opened.fleet.machines()]).toEqual([0, []]);
  opened.kill(['agent']);
  const ask = async (): Promise<void> => {
    await opened.daemon?.process.run(() => opened.daemon?.engine.preflight(request));
  };
  await expect(opened.run(ask())).rejects.toMatchObject({ reason: 'unavailable' });
});
