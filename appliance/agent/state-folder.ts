import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { z } from 'zod';
import { UserProblem } from '../../provisioners/contract/problem.ts';
import type { CertificateRequest, Enrolled } from './enrolment.ts';
import { drawIdentity } from './sealing.ts';

/** The request that is being made; gone once it was answered. */
const requestFile = 'enrolment-request.json';

const enrolmentSchema = z.strictObject({
  server: z.string(),
  certificate: z.string(),
  authority: z.string(),
  site: z.string(),
  epoch: z.int(),
  linkPort: z.int(),
  key: z.string(),
});

const requestSchema = z.strictObject({ request: z.string(), key: z.string() });

/** What an agent keeps of its enrolment. */
export interface KeptEnrolment extends Enrolled {
  /** URL of the daemon's API. */
  readonly server: string;
}

/** The agent's own folder: identity, enrolment, store. Everything in it is readable by its owner only. */
export class StateFolder {
  readonly #folder: string;
  readonly #lock: Database.Database;

  /** @throws UserProblem AGENT-020 when another agent uses the folder. */
  constructor(folder: string) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    chmodSync(folder, 0o700);
    this.#folder = folder;
    this.#lock = new Database(join(folder, 'lock'), { timeout: 0 });
    try {
      // Held until the process ends, whatever ends it.
      this.#lock.exec('BEGIN EXCLUSIVE');
    } catch {
      this.#lock.close();
      throw new UserProblem('AGENT-020', `Another agent works with the state folder ${folder}.`, {
        remedy: 'Stop it first, or give this one a folder of its own.',
      });
    }
    // Left by a kill -9 in {@link keepEnrolment}: it was answered, and it holds the client's key.
    if (existsSync(join(folder, 'enrolment.json'))) rmSync(join(folder, requestFile), { force: true });
  }

  /** Path of the attempts' database. */
  get database(): string {
    return join(this.#folder, 'agent.db');
  }

  /** The age identity, drawn at the first start. */
  async identity(): Promise<string> {
    const file = join(this.#folder, 'identity');
    if (!existsSync(file)) this.#write('identity', `${await drawIdentity()}\n`);
    return readFileSync(file, 'utf8').trim();
  }

  /**
   * The request this agent enrols with, drawn once: an agent that is killed before it has the answer repeats the same
   * request, which the daemon answers again.
   */
  async certificateRequest(draw: () => Promise<CertificateRequest>): Promise<CertificateRequest> {
    const file = join(this.#folder, requestFile);
    if (!existsSync(file)) this.#write(requestFile, `${JSON.stringify(await draw())}\n`);
    return requestSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  }

  enrolment(): KeptEnrolment | undefined {
    const file = join(this.#folder, 'enrolment.json');
    return existsSync(file) ? enrolmentSchema.parse(JSON.parse(readFileSync(file, 'utf8'))) : undefined;
  }

  keepEnrolment(enrolment: KeptEnrolment): void {
    this.#write('enrolment.json', `${JSON.stringify(enrolmentSchema.parse(enrolment), undefined, 2)}\n`);
    rmSync(join(this.#folder, requestFile), { force: true });
  }

  close(): void {
    this.#lock.close();
  }

  #write(name: string, text: string): void {
    const file = join(this.#folder, name);
    const descriptor = openSync(`${file}.new`, 'w', 0o600);
    writeSync(descriptor, text);
    fsyncSync(descriptor);
    closeSync(descriptor);
    renameSync(`${file}.new`, file);
    const folder = openSync(this.#folder, 'r');
    fsyncSync(folder);
    closeSync(folder);
  }
}
