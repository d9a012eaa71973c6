import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { loopbackCertificate } from '../payload/certificate.ts';

/** A message as rsyslog understood it: fields of RFC 5424. */
export interface Understood {
  readonly priority: string;
  readonly version: string;
  readonly at: string;
  readonly app: string;
  readonly id: string;
  readonly message: string;
}

/** A real rsyslogd on loopback, with a folder and a port of its own. */
export interface Rsyslog extends AsyncDisposable {
  readonly port: number;
  /** PEM; its certificate is its own authority. */
  readonly authority: string;
  /** What it has written so far. */
  understood(): readonly Understood[];
}

/** Looks at its port file, tenths of a second, before it counts as broken. */
const patience = 300;

/** Starts one that reads TCP, or TLS by OpenSSL. @throws Error with what it said */
export async function startRsyslog(transport: 'tcp' | 'tls'): Promise<Rsyslog> {
  const folder = mkdtempSync(join(tmpdir(), 'remuda-rsyslog-'));
  const path = (name: string): string => join(folder, name);
  const { certificate, privateKey } = await loopbackCertificate();
  writeFileSync(path('server.crt'), certificate);
  writeFileSync(path('server.key'), privateKey, { mode: 0o600 });
  writeFileSync(path('rsyslog.conf'), configuration(folder, transport));
  const child = spawn('rsyslogd', ['-n', '-f', path('rsyslog.conf'), '-i', path('pid')], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      said += chunk.toString('utf8');
    });
  const portFile = path('port');
  const portIn = (): number => (existsSync(portFile) ? Number(readFileSync(portFile, 'utf8')) : 0);
  for (let look = 0; look < patience && child.exitCode === null && portIn() === 0; look += 1)
    await sleep(100);
  const port = portIn();
  if (port === 0) {
    await ended(child);
    rmSync(folder, { recursive: true, force: true });
    throw new Error(`rsyslogd does not listen: ${said}`);
  }
  return {
    port,
    authority: certificate,
    understood: () =>
      existsSync(path('messages'))
        ? readFileSync(path('messages'), 'utf8')
            .split('\n')
            .filter(Boolean)
            .map((line) => JSON.parse(line) as Understood)
        : [],
    async [Symbol.asyncDispose]() {
      await ended(child);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const configuration = (folder: string, transport: 'tcp' | 'tls'): string => `
global(
  workDirectory="${folder}" maxMessageSize="64k" defaultNetstreamDriverCAFile="${folder}/server.crt"
  defaultNetstreamDriverCertFile="${folder}/server.crt" defaultNetstreamDriverKeyFile="${folder}/server.key"
)
${
  transport === 'tls'
    ? 'module(load="imtcp" StreamDriver.Name="ossl" StreamDriver.Mode="1" StreamDriver.AuthMode="anon")'
    : 'module(load="imtcp")'
}
template(name="fields" type="list" option.jsonf="on") {
  property(outname="priority" name="pri" format="jsonf")
  property(outname="version" name="protocol-version" format="jsonf")
  property(outname="at" name="timereported" dateFormat="rfc3339" format="jsonf")
  property(outname="app" name="app-name" format="jsonf")
  property(outname="id" name="msgid" format="jsonf")
  property(outname="message" name="msg" format="jsonf")
}
ruleset(name="keep") { action(type="omfile" file="${folder}/messages" template="fields") }
input(type="imtcp" address="127.0.0.1" port="0" listenPortFileName="${folder}/port" ruleset="keep")
`;

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}
