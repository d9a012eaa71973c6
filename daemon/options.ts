import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type Logger, pino } from 'pino';
import { UserProblem } from '../provisioners/contract/problem.ts';

const usage = `usage: node daemon/main.ts --state DIR [options]
  --state DIR            folder of its own for everything it remembers
  --listen HOST:PORT     API, default 127.0.0.1:8443; port 0 = any free one
  --link-listen H:P      agents, default 127.0.0.1:8444
  --wizard DIR           built pages of the web wizard, default those of this clone
  --name NAME            another name or address of this host for its certificate; may be repeated
  --health-every SECONDS pause between two looks at one cluster, default 30
  --allow-root           run as root (for tests; it needs no rights of root)
  --log-level LEVEL      pino's levels, default info`;

interface Address {
  readonly host: string;
  readonly port: number;
}

/** What the command line asks for. */
export interface DaemonOptions {
  readonly state: string;
  readonly listen: Address;
  readonly linkListen: Address;
  readonly names: readonly string[];
  readonly wizard: string;
  /** Pause between two looks at one cluster, milliseconds. */
  readonly healthEvery: number;
  readonly logger: Logger;
}

/** Reads the command line. @throws UserProblem when it cannot be. */
export function readOptions(words: readonly string[]): DaemonOptions {
  const { values } = parseArgs({
    args: [...words],
    options: {
      state: { type: 'string' },
      listen: { type: 'string', default: '127.0.0.1:8443' },
      'link-listen': { type: 'string', default: '127.0.0.1:8444' },
      name: { type: 'string', multiple: true, default: [] },
      wizard: { type: 'string', default: join(import.meta.dirname, '..', 'ui/wizard/dist') },
      'allow-root': { type: 'boolean', default: false },
      'health-every': { type: 'string', default: '30' },
      'log-level': { type: 'string', default: 'info' },
    },
  });
  if (values.state === undefined) throw new UserProblem('START-001', '--state is missing', { remedy: usage });
  if (process.getuid?.() === 0 && !values['allow-root']) {
    throw new UserProblem('START-002', 'the daemon faces the web and does not run as root', {
      remedy: 'Start it as a user of its own, as scripts/up does; --allow-root is for tests.',
    });
  }
  return {
    state: values.state,
    listen: addressOf(values.listen),
    linkListen: addressOf(values['link-listen']),
    names: values.name,
    wizard: resolve(values.wizard),
    healthEvery: secondsOf(values['health-every']) * 1000,
    logger: pino({ level: values['log-level'] }),
  };
}

/** Once a second at most: each look asks every master of a cluster. */
function secondsOf(text: string): number {
  const seconds = Number(text);
  if (/^\d+$/.test(text) && seconds >= 1 && seconds <= 3600) return seconds;
  throw new UserProblem('START-004', `"${text}" is no pause between two looks at a cluster`, {
    value: text,
    remedy: 'Write whole seconds from 1 to 3600, for example --health-every 30.',
  });
}

/** `host:port`, also `[::1]:port`. */
function addressOf(text: string): Address {
  const match = /^\[?([^\]]+?)\]?:(\d{1,5})$/.exec(text);
  if (match?.[1] === undefined || Number(match[2]) > 65_535) {
    throw new UserProblem('START-003', `"${text}" is not an address to listen on`, {
      value: text,
      remedy: 'Write host:port, for example 127.0.0.1:8443 or [::1]:8443.',
    });
  }
  return { host: match[1], port: Number(match[2]) };
}
