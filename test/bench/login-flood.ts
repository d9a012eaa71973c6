/**
 * What a flood of sign-ins costs everybody else (issue 3, proof 3): latency of another user's list of clusters, on a
 * connection that is open as a browser's is, at a real daemon: calm, and while 40 connections from 250 addresses guess
 * passwords without a pause. The guessers are a process of their own. Prints.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startDaemonProcess } from '../integration/api/daemon-process.ts';
import { row, say } from './table.ts';

const guessers = 40;
const addresses = 250;
const samples = 400;
/** A person clicks; she does not ask without a pause. Milliseconds. */
const pause = 40;

interface Target {
  readonly url: string;
  readonly authority: string;
}

interface Sent {
  readonly method: string;
  readonly path: string;
  /** Source address on loopback. */
  readonly address?: string;
  readonly agent?: Agent;
  readonly token?: string;
  readonly body?: string;
}

/** One request; answers its status. */
function send(target: Target, { method, path, address, agent, token, body }: Sent): Promise<number> {
  return new Promise((resolve, reject) => {
    const one = request(
      new URL(path, target.url),
      {
        method,
        agent: agent ?? false,
        ca: target.authority,
        ...(address === undefined ? {} : { localAddress: address }),
        headers: {
          ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
          ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        },
      },
      (response) => {
        response.resume();
        response.once('end', () => resolve(response.statusCode ?? 0));
      },
    );
    one.once('error', reject);
    one.end(body);
  });
}

/** Milliseconds of each of the samples, sorted. */
async function measure(target: Target, token: string, agent: Agent): Promise<readonly number[]> {
  const times: number[] = [];
  for (let index = 0; index < samples; index += 1) {
    const began = performance.now();
    await send(target, { method: 'GET', path: '/api/v1/clusters', agent, token });
    times.push(performance.now() - began);
    await sleep(pause);
  }
  return times.toSorted((a, b) => a - b);
}

const shown = (times: readonly number[]): string =>
  [0.5, 0.95, 0.99]
    .map((part) => `p${part * 100} ${times[Math.floor(part * samples)]?.toFixed(1)} ms`)
    .join(', ');

/** Guesses until it is told to stop; then says what it was answered. */
function flood(target: Target): void {
  const end = new AbortController();
  const answers: Record<number, number> = {};
  const guess = async (first: number): Promise<void> => {
    for (let index = first; !end.signal.aborted; index += guessers) {
      const address = `127.0.1.${(index % addresses) + 1}`;
      const body = JSON.stringify({ name: `nobody-${index % 1000}`, password: `guess ${index}` });
      const status = await send(target, { method: 'POST', path: '/api/v1/session', address, body });
      answers[status] = (answers[status] ?? 0) + 1;
    }
  };
  const all = Promise.all(Array.from({ length: guessers }, (_, index) => guess(index)));
  process.once('message', () => {
    end.abort();
    void all.then(() => process.send?.(answers, () => process.exit(0)));
  });
}

async function bench(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'remuda-bench-flood-'));
  const daemon = await startDaemonProcess(folder);
  const target = { url: daemon.url, authority: daemon.authority };
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  try {
    await measure(target, daemon.admin, agent);
    say('asking for the list of clusters in the calm');
    const calm = shown(await measure(target, daemon.admin, agent));
    const guessing = fork(import.meta.filename, [JSON.stringify(target)]);
    await sleep(2_000);
    const began = performance.now();
    say('asking while passwords are guessed');
    const flooded = shown(await measure(target, daemon.admin, agent));
    const seconds = 2 + (performance.now() - began) / 1000;
    guessing.send('stop');
    const [answers] = (await once(guessing, 'message')) as [Record<string, number>];
    const counted = Object.entries(answers).map(([status, count]) => `${count} × ${status}`);
    row(
      `another user's list of clusters while ${guessers} connections from ${addresses} addresses guess passwords (${counted.join(', ')} in ${seconds.toFixed(0)} s)`,
      `${flooded}; calm beside it ${calm}`,
      'not noticed',
    );
  } finally {
    agent.destroy();
    await daemon.end('SIGTERM');
    rmSync(folder, { recursive: true, force: true });
  }
}

const [given] = process.argv.slice(2);
if (given === undefined) await bench();
else flood(JSON.parse(given) as Target);
