import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import type { TLSSocket } from 'node:tls';
import { join } from 'node:path';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SiteAuthority } from '../../../daemon/access/authority.ts';
import { listenForAgents, type LinkListener, SocketLink } from '../../../daemon/operations/socket-link.ts';
import { enrol, isDue, renew } from '../../../appliance/agent/enrolment.ts';
import { AgentLinkClient, type LinkIdentity } from '../../../appliance/agent/link-client.ts';
import { requestCertificate } from '../../../appliance/agent/pki.ts';
import { systemClock } from '../../../appliance/agent/clock.ts';
import type { AgentQuestions } from '../../../appliance/agent/protocol/questions.ts';
import {
  type AgentReport,
  type AttemptKey,
  protocolVersion,
} from '../../../appliance/agent/protocol/dispatch.ts';
import type { ProblemReport } from '../../../provisioners/contract/problem.ts';
import { Blocked } from '../../../provisioners/contract/problem.ts';
import { bench, dispatchOf, fakeStep } from '../../unit/agent/bench.ts';

const logger = pino({ level: 'silent' });

let folder: string;
let authority: SiteAuthority;
let listener: LinkListener;
let link: SocketLink;
let epoch: number;
let durable: AgentReport[];
let refusals: ProblemReport[];
let connected: (readonly AttemptKey[])[];
let isDiskFull: boolean;
const clients: AgentLinkClient[] = [];

async function listen(port = 0): Promise<void> {
  const { key, cert } = await authority.serverIdentity();
  listener = await listenForAgents({
    host: '127.0.0.1',
    port,
    key,
    certificate: cert,
    authority: authority.certificate,
    linkOf: (site) => (site === 'home' ? link : undefined),
  });
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'remuda-link-'));
  authority = await SiteAuthority.open(folder);
  epoch = 1;
  durable = [];
  refusals = [];
  connected = [];
  isDiskFull = false;
  link = new SocketLink({
    site: 'home',
    epoch: () => epoch,
    acknowledged: () => durable.at(-1)?.sequence ?? 0,
    onRefused: (problem) => refusals.push(problem),
  });
  // The fake daemon: keeps what it does not hold yet, as the journal does.
  link.onReports((reports) => {
    if (isDiskFull) throw new Error('disk full');
    for (const report of reports) if (report.sequence > (durable.at(-1)?.sequence ?? 0)) durable.push(report);
    link.acknowledge(durable.at(-1)?.sequence ?? 0);
  });
  link.onConnected((open) => connected.push(open));
  await listen();
});

afterEach(async () => {
  for (const client of clients.splice(0)) await client.stop();
  await listener.stop();
  rmSync(folder, { recursive: true });
});

async function identityFor(site: string, ofEpoch: number, by = authority): Promise<LinkIdentity> {
  const { request, key } = await requestCertificate();
  const certificate = await by.signAgent(request, { site, epoch: ofEpoch });
  return { authority: authority.certificate, certificate, key };
}

async function connect(
  options: {
    epoch?: number;
    hello?: object;
    identity?: LinkIdentity;
    step?: ReturnType<typeof fakeStep>;
    questions?: Partial<AgentQuestions>;
  } = {},
) {
  const ofEpoch = options.epoch ?? epoch;
  const step = options.step ?? fakeStep({ observe: () => ({ state: 'done', facts: 7 }), apply: () => {} });
  const agent = bench(step, { epoch: ofEpoch, clock: systemClock });
  const client = new AgentLinkClient({
    url: `https://127.0.0.1:${listener.port}`,
    identity: options.identity ?? (await identityFor('home', ofEpoch)),
    hello: () => ({
      protocol: protocolVersion,
      release: 'test',
      site: 'home',
      epoch: ofEpoch,
      kinds: { 'thing.make': 2 },
      recipient: 'age1x',
      open: agent.runner.open(),
      ...options.hello,
    }),
    runner: agent.runner,
    questions: (options.questions ?? {}) as AgentQuestions,
    logger,
    patience: 500,
  });
  clients.push(client);
  client.start();
  return { ...agent, client };
}

async function until(isSo: () => boolean): Promise<void> {
  for (let i = 0; i < 3000; i += 1) {
    if (isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error('it did not come about');
}

const ended = () => durable.filter((report) => report.type === 'ended');

describe('the link', () => {
  it('carries a dispatch down and its reports up, and forgets what is acknowledged', async () => {
    const { runner } = await connect();
    await until(() => link.isConnected && connected.length === 1);
    link.dispatch(dispatchOf());
    await until(() => ended().length === 1 && runner.reports(0, 10).length === 0);
    expect(durable.map((report) => report.sequence)).toEqual([1, 2]);
    expect(runner.open()).toEqual([]);
  });

  it('loses and repeats no line over reconnects, a restarted daemon and a full disk', async () => {
    const count = 4000;
    const gates: (() => void)[] = [];
    const step = fakeStep({
      observe: async (context) => {
        for (let i = 0; i < count; i += 1) {
          if (i % 1000 === 0) await new Promise<void>((resolve) => gates.push(resolve));
          context.log(`line ${i}`);
        }
        return { state: 'done', facts: null };
      },
      apply: () => {},
    });
    const next = async (): Promise<void> => {
      await until(() => gates.length > 0);
      gates.shift()?.();
    };
    await connect({ step });
    await until(() => link.isConnected);
    link.dispatch(dispatchOf());
    await next();
    await until(() => durable.length > 0);
    link.disconnect();
    await next();
    isDiskFull = true;
    await until(() => refusals.length > 0);
    await next();
    isDiskFull = false;
    const { port } = listener;
    await listener.stop();
    await next();
    await listen(port);
    await until(() => ended().length === 1);
    const lines = durable.filter((report) => report.type === 'log').map((report) => report.text);
    expect(lines).toEqual(Array.from({ length: count }, (_, i) => `line ${i}`));
  });

  it('answers questions, and hands over the problem of one it cannot answer', async () => {
    await connect({
      questions: {
        listPayloads: async () => [],
        machines: async () => {
          throw new Blocked('LAB-9', 'no provider', { remedy: 'bring one' });
        },
      },
    });
    await until(() => link.isConnected);
    expect(await link.ask('listPayloads', {})).toEqual([]);
    await expect(link.ask('machines', { context: dispatchOf().context })).rejects.toMatchObject({
      report: { kind: 'blocked', code: 'LAB-9', remedy: 'bring one' },
    });
  });

  it('says so when nobody is there to answer', async () => {
    await expect(link.ask('listPayloads', {})).rejects.toMatchObject({ report: { kind: 'transient' } });
  });

  it('goes on numbering after what the daemon holds when the agent lost its own memory', async () => {
    durable.push({ sequence: 40, at: '2026-11-21T05:00:00.000Z', key: dispatchOf().key, type: 'started' });
    await connect();
    await until(() => link.isConnected);
    link.dispatch(dispatchOf());
    await until(() => ended().length === 1);
    expect(durable.map((report) => report.sequence)).toEqual([40, 41, 42]);
  });
});

describe('who is let in', () => {
  it('refuses a stranger: no certificate, or one of another authority', async () => {
    const elsewhere = mkdtempSync(join(tmpdir(), 'remuda-stranger-'));
    try {
      const stranger = await SiteAuthority.open(elsewhere);
      const forged = await identityFor('home', 1, stranger);
      const { client } = await connect({ identity: forged });
      await connect({ identity: { ...forged, certificate: '', key: '' } });
      await new Promise((resolve) => setTimeout(resolve, 700));
      expect(client.isAccepted).toBe(false);
      expect(link.isConnected).toBe(false);
      expect(connected).toEqual([]);
    } finally {
      rmSync(elsewhere, { recursive: true });
    }
  });

  it('does not talk to a daemon of another authority', async () => {
    const elsewhere = mkdtempSync(join(tmpdir(), 'remuda-stranger-'));
    try {
      const other = await SiteAuthority.open(elsewhere);
      const mine = await identityFor('home', 1);
      const { client } = await connect({ identity: { ...mine, authority: other.certificate } });
      await new Promise((resolve) => setTimeout(resolve, 700));
      expect(client.isAccepted).toBe(false);
    } finally {
      rmSync(elsewhere, { recursive: true });
    }
  });

  it('refuses an older epoch, and a hello that claims more than its certificate', async () => {
    epoch = 2;
    await connect({ epoch: 1 });
    await until(() => refusals.some((problem) => problem.code === 'LINK-002'));
    await connect({ epoch: 2, identity: await identityFor('home', 1) });
    await until(() => refusals.some((problem) => problem.code === 'LINK-003'));
    expect(link.isConnected).toBe(false);
    await connect({ epoch: 2 });
    await until(() => link.isConnected);
  });

  it('lets an agent go when the epoch rises while it is connected, and takes no word of it any more', async () => {
    const { runner } = await connect();
    await until(() => link.isConnected);
    epoch = 2;
    expect(link.isConnected).toBe(false);
    runner.dispatch(dispatchOf());
    await until(() => refusals.some((problem) => problem.code === 'LINK-002'));
    expect(durable).toEqual([]);
  });

  it('lets work wait when releases are two protocols apart, and says which to update', async () => {
    await connect({ hello: { protocol: protocolVersion + 2 } });
    await until(() => link.refusal?.code === 'LINK-001');
    expect(link.isConnected).toBe(false);
    await connect({ hello: { protocol: protocolVersion + 1 } });
    await until(() => link.isConnected);
    expect(link.refusal).toBeUndefined();
  });

  it('keeps the newer connection when an agent comes back before its old one is known dead', async () => {
    const identity = await identityFor('home', 1);
    const first = await connect({ identity });
    await until(() => first.client.isAccepted);
    await first.client.stop();
    const second = await connect({ identity });
    await until(() => second.client.isAccepted && link.isConnected);
  });
});

describe('enrolment', () => {
  const secret = 'abcdefghijklmnopqrstuvwxyz012345';
  let said: string[];
  let used: boolean;
  let url: string;
  let close: () => void;

  beforeEach(async () => {
    said = [];
    used = false;
    const { key, cert } = await authority.serverIdentity();
    // The fake daemon's API, with the one route that enrolment needs; the real one is tested with the API.
    const tls = { key, cert, ca: authority.certificate, requestCert: true, rejectUnauthorized: false };
    const server = createServer(tls, (request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => {
        body += chunk.toString();
      });
      request.on('end', () => {
        said.push(body);
        const asked = JSON.parse(body) as { secret: string; request: string };
        const isKnown = (request.socket as TLSSocket).authorized && request.url === '/api/v1/agents/renew';
        if (isKnown) used = false;
        if (!isKnown && (used || asked.secret !== secret)) {
          response.writeHead(401).end(JSON.stringify({ detail: 'unknown token' }));
          return;
        }
        used = true;
        void authority.signAgent(asked.request, { site: 'home', epoch: 3 }).then((certificate) =>
          response.writeHead(201).end(
            JSON.stringify({
              certificate,
              authority: authority.certificate,
              site: 'home',
              epoch: 3,
              linkPort: listener.port,
            }),
          ),
        );
      });
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    close = () => server.close();
  });
  afterEach(() => close());

  const ask = async (token: string) =>
    enrol({ server: url, token, recipient: 'age1x', release: 'test', request: await requestCertificate() });

  it('exchanges a token once; what it gets opens the link', async () => {
    const enrolled = await ask(`${authority.hash}.${secret}`);
    expect(enrolled).toMatchObject({ site: 'home', epoch: 3 });
    expect(isDue(enrolled.certificate, Date.now())).toBe(false);
    expect(isDue(enrolled.certificate, Date.now() + 6 * 86_400_000)).toBe(true);
    epoch = 3;
    await connect({ identity: enrolled });
    await until(() => link.isConnected);
  });

  it('renews with the certificate it holds, and a fresh key', async () => {
    const first = await ask(`${authority.hash}.${secret}`);
    const second = await renew(url, first);
    expect(second).toMatchObject({ site: 'home', epoch: 3, authority: first.authority });
    expect(second.key).not.toBe(first.key);
    epoch = 3;
    const { client } = await connect({ identity: first });
    await until(() => link.isConnected);
    client.restart(second);
    await until(() => client.isAccepted && link.isConnected);
  });

  it('renews for nobody without a certificate of this authority', async () => {
    const held = await ask(`${authority.hash}.${secret}`);
    await expect(renew(url, { ...held, certificate: '', key: '' })).rejects.toMatchObject({
      report: { code: 'AGENT-012' },
    });
  });

  it('refuses a replayed token', async () => {
    await ask(`${authority.hash}.${secret}`);
    await expect(ask(`${authority.hash}.${secret}`)).rejects.toMatchObject({ report: { code: 'AGENT-012' } });
  });

  it('says nothing at all to a server that is not the one the token names', async () => {
    await expect(ask(`${'0'.repeat(64)}.${secret}`)).rejects.toMatchObject({ report: { code: 'AGENT-011' } });
    expect(said).toEqual([]);
  });

  it('names a token that is none', async () => {
    await expect(ask('hello')).rejects.toMatchObject({ report: { code: 'AGENT-010' } });
  });
});
