import { createConnection, createServer, type Server, type Socket } from 'node:net';
import {
  Blocked,
  reportOf,
  Transient,
  UserProblem,
  type ProblemReport,
} from '../../provisioners/contract/problem.ts';
import { callFleet, type CallName } from '../fleet/model/calls.ts';
import type { Caller, Fleet } from '../fleet/model/fleet.ts';
import type { Carry } from '../fleet/ports/door.ts';

interface Question {
  readonly id: number;
  readonly name: CallName;
  readonly given: unknown;
  readonly by: Caller;
}

interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly problem?: ProblemReport;
}

/**
 * Calls `take` with each whole line. Not `node:readline`: whoever is killed in the middle of a line has said nothing,
 * but readline gives that half line at the end, and it throws the socket's errors again as its own.
 */
function eachLine(socket: Socket, take: (line: string) => void): void {
  let rest = '';
  socket.setEncoding('utf8');
  socket.on('error', () => socket.destroy());
  socket.on('data', (part: string) => {
    const lines = (rest + part).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) take(line);
  });
}

/** Serves a fleet over a unix socket, a JSON text a line. The fleet's time is brought up to date before each call. */
export function serveFleet(fleet: Fleet, path: string, now: () => number): Server {
  const server = createServer((socket) => {
    eachLine(socket, (line) => {
      const question = JSON.parse(line) as Question;
      fleet.settle(now());
      if (!socket.writable) return;
      socket.write(`${JSON.stringify(answerTo(fleet, question))}\n`);
    });
  });
  server.listen(path);
  return server;
}

function answerTo(fleet: Fleet, { id, name, given, by }: Question): Answer {
  try {
    return { id, result: callFleet(fleet, name, given, by) };
  } catch (error) {
    return { id, problem: reportOf(error, name) };
  }
}

/** Carries calls to a served fleet. */
export function socketCarry(path: string): Carry {
  const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: unknown) => void }>();
  let socket: Socket | undefined;
  let count = 0;
  const connected = (): Socket => {
    if (socket !== undefined && !socket.destroyed) return socket;
    const made = createConnection(path);
    made.on('close', () => {
      for (const { reject } of waiting.values()) reject(new Transient('HOST-001', 'the model went away'));
      waiting.clear();
    });
    eachLine(made, (line) => {
      const { id, result, problem } = JSON.parse(line) as Answer;
      const asked = waiting.get(id);
      waiting.delete(id);
      if (problem === undefined) asked?.resolve(result);
      else asked?.reject(problemOf(problem));
    });
    socket = made;
    return made;
  };
  return (name, given, by) => {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    count += 1;
    waiting.set(count, { resolve, reject });
    connected().write(`${JSON.stringify({ id: count, name, given, by })}\n`);
    return promise;
  };
}

/** The problem as the class that the adapters throw: steps tell them apart by class. */
function problemOf({ kind, code, summary, ...details }: ProblemReport): Error {
  const { remedy = 'See the log.' } = details;
  if (kind === 'blocked') return new Blocked(code, summary, { ...details, remedy });
  if (kind === 'user') return new UserProblem(code, summary, { ...details, remedy });
  if (kind === 'transient') return new Transient(code, summary, details);
  return new Error(summary);
}
