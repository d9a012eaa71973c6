import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runSeed, sample, seededRandom } from '../fleet/model/random.ts';
import { ask } from '../integration/api/http.ts';
import { Life, type Program } from './start-process.ts';

const seed = runSeed();
const isFull = process.env['REMUDA_RING'] === 'full';
/** Boundaries of each program at which it is killed, when not at all of them. */
const tried = 8;

const home = mkdtempSync(join(tmpdir(), 'remuda-start-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));

const random = seededRandom(seed);
const chosen = (boundaries: readonly string[]): readonly [number, string][] => {
  const numbered = boundaries.map((name, index): [number, string] => [index, name]);
  return isFull ? numbered : sample(numbered, tried, random);
};

/**
 * Names of what a program keeps. Modules that were compiled once are Node's; a start that died between two migrations
 * rightly has a backup of what it had made until then.
 */
const filesOf = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => !name.startsWith('compiled') && !name.endsWith('.backup'))
    .sort();

/** Each program's first start on an empty folder, killed at its boundaries; then a start that must do. */
describe(`a first start that was killed -9 is made good by the next (complaint 3; REMUDA_SEED=${seed})`, () => {
  const daemonOn = (folder: string): Program => ({
    file: 'daemon/main.ts',
    words: ['--state', folder, '--listen', '127.0.0.1:0', '--link-listen', '127.0.0.1:0', '--allow-root'],
    ready: '"msg":"ready"',
  });

  it('the daemon', async () => {
    const boundaries = await Life.trace(daemonOn(join(home, 'traced')), join(home, 'trace'));
    expect(boundaries.length).toBeGreaterThan(40);
    for (const [index, name] of chosen(boundaries)) {
      const folder = join(home, `daemon-${index}`);
      await Life.endAt(daemonOn(folder), index);
      const life = await Life.begin(daemonOn(folder));
      try {
        const { port } = life.said<{ readonly port: number }>('"msg":"ready"');
        const answer = await ask(
          `https://127.0.0.1:${port}/api/v1/agents`,
          readFileSync(join(folder, 'authority/ca.crt'), 'utf8'),
          { token: readFileSync(join(folder, 'admin-token'), 'utf8').trim() },
        );
        expect(answer.status, `killed at ${index}: ${name}`).toBe(200);
        expect(filesOf(folder), `killed at ${index}: ${name}`).toEqual(filesOf(join(home, 'traced')));
      } finally {
        await life.kill();
      }
      rmSync(folder, { recursive: true });
    }
  }, 3_600_000);

  it('the daemon, between a new server key and its certificate', async () => {
    const folder = join(home, 'daemon-renewal');
    await (await Life.begin(daemonOn(folder))).kill();
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    writeFileSync(join(folder, 'authority/server.key'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
    await (await Life.begin(daemonOn(folder))).kill();
  });

  describe('the agent', () => {
    let daemon: Life | undefined;
    let url: string;
    const state = join(home, 'site');

    beforeAll(async () => {
      daemon = await Life.begin(daemonOn(state));
      url = `https://127.0.0.1:${daemon.said<{ readonly port: number }>('"msg":"ready"').port}`;
    });
    afterAll(() => daemon?.kill());

    /** A site of its own, with a token for its agent. */
    async function agentOf(site: string): Promise<Program> {
      const token = readFileSync(join(state, 'admin-token'), 'utf8').trim();
      const authority = readFileSync(join(state, 'authority/ca.crt'), 'utf8');
      const path = `${url}/api/v1/agents/${site}/token`;
      const { json } = await ask(path, authority, { method: 'POST', token, body: '{}' });
      const tokenFile = join(home, `${site}.token`);
      writeFileSync(tokenFile, (json as { readonly token: string }).token);
      return {
        file: 'appliance/agent/main.ts',
        words: [
          '--state',
          join(home, site),
          '--cache',
          join(home, 'cache'),
          '--server',
          url,
          '--enrol-file',
          tokenFile,
        ],
        ready: '"msg":"linked to the daemon"',
      };
    }

    it('enrols with the same token', async () => {
      const boundaries = await Life.trace(await agentOf('traced-agent'), join(home, 'trace'));
      expect(boundaries.length).toBeGreaterThan(15);
      for (const [index, name] of chosen(boundaries)) {
        const program = await agentOf(`agent-${index}`);
        await Life.endAt(program, index);
        const life = await Life.begin(program).catch((error: unknown) => {
          throw new Error(`killed at ${index}: ${name}`, { cause: error });
        });
        await life.kill();
        const files = filesOf(join(home, `agent-${index}`));
        expect(files, `killed at ${index}: ${name}`).toEqual(filesOf(join(home, 'traced-agent')));
      }
    }, 3_600_000);
  });
});
