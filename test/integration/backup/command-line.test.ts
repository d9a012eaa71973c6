import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createBackupPort } from '../../../appliance/agent/adapters/backup.ts';
import { createSecretsPort } from '../../../appliance/agent/adapters/secrets.ts';
import type { BackupList } from '../../../daemon/api/types.ts';
import type { BackupManifest } from '../../../provisioners/contract/backup.ts';
import { type ChangePorts, type FleetSite, startFleetSite } from '../../browser/fleet-site.ts';
import { insecureFetch } from '../../browser/insecure-fetch.ts';
import { answerFile } from '../../faults/answer-file.ts';
import { CommandLine, type CommandResult } from '../cli/command.ts';
import { fakeDatabase, fakeSnapshot } from './database.ts';
import { type Moto, startMoto } from './moto.ts';

/*
 * Command line, API, daemon, link, step loop and what keeps backups are real, and so is the bucket (moto); machines and
 * etcd are the model's, whose snapshot is a fake database with the form of a real one.
 */
let moto: Moto;
let site: FleetSite;
let cli: CommandLine;
let folder: string;

const real: ChangePorts = (ports, work, identity) => ({
  ...ports,
  etcd: Object.assign(Object.create(ports.etcd) as typeof ports.etcd, {
    snapshot: async () => fakeSnapshot(fakeDatabase()),
  }),
  backup: createBackupPort({
    work,
    secrets: createSecretsPort(work.context, identity, (secret) => work.hide(secret)),
    identity,
    stateFolder: folder,
    reach: { isLoopbackAllowed: true },
  }),
});

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'remuda-backups-'));
  mkdirSync(join(folder, 'away'));
  moto = await startMoto();
  site = await startFleetSite(400, real);
  cli = new CommandLine();
});
afterAll(async () => {
  cli?.[Symbol.dispose]();
  await site?.[Symbol.asyncDispose]();
  await moto?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const run = (words: readonly string[], input = ''): Promise<CommandResult> =>
  cli.run(words, { input, environment: { REMUDA_SERVER: site.url, REMUDA_TOKEN: site.token } });

const list = async (): Promise<BackupList> =>
  JSON.parse((await run(['backup', 'list', 'demo', '-o', 'json'])).out) as BackupList;

/** The answer file with the bucket in it, as people write it. */
function file(endpoint = moto.bucket.endpoint): string {
  const { region, bucket, prefix, authority } = moto.bucket;
  const s3 = { endpoint, region, bucket, prefix, authority, credentials: { secretRef: 'backup-s3' } };
  const backup = { destination: { type: 's3', s3 }, keep: { keepLast: 2 } };
  return answerFile({ masters: 1, workers: 0, backup: JSON.stringify(backup) });
}

describe('backups from the command line into a bucket', () => {
  it('refuses a file whose secret nobody gave, and takes it once it is given, bound to that server (K8)', async () => {
    const early = await run(['apply', '-f', '-'], file());
    expect([early.code, early.err]).toEqual([2, expect.stringContaining('SPEC-071')]);
    const words = ['secret', 'set', 'backup-s3'];
    for (const [key, value] of Object.entries(moto.credentials)) {
      const path = join(folder, key);
      writeFileSync(path, value);
      words.push('--from-file', `${key}=${path}`);
    }
    expect((await run(words)).code).toBe(0);
    const made = await run(['apply', '-f', '-', '--wait'], file());
    expect(made.code, made.err).toBe(0);
    const { host } = new URL(moto.bucket.endpoint);
    expect(JSON.parse((await run(['secret', 'list', '-o', 'json'])).out)).toMatchObject({
      items: [{ name: 'backup-s3', destination: host }],
    });
    const moved = await run(['apply', '-f', '-'], file('https://evil.example'));
    expect([moved.code, moved.err]).toEqual([2, expect.stringContaining('SPEC-076')]);
  });

  it('makes backups, keeps the last two, and says that they are as they were written', async () => {
    expect((await list()).backups).toEqual([]);
    for (let count = 0; count < 3; count += 1) {
      const made = await run(['backup', 'create', 'demo', '--wait']);
      expect(made.code, made.err).toBe(0);
    }
    const { backups, places, lastSuccessAt } = await list();
    const place = `the bucket ${moto.bucket.bucket}/${moto.bucket.prefix}`;
    expect(places).toEqual([{ place }]);
    expect(backups.map(({ standing }) => standing)).toEqual(['good', 'good']);
    expect(lastSuccessAt).toBeDefined();
    const names = [...(await moto.objects()).keys()].map((name) => name.split('/').at(-1));
    expect(names.toSorted()).toEqual(backups.flatMap(({ id }) => [`${id}.json`, `${id}.tar.age`]).toSorted());
    const table = await run(['backup', 'list', 'demo']);
    expect(table.out).toContain('as it was written');
    const metrics = await insecureFetch(`${site.url}/metrics`, {
      method: 'GET',
      headers: { Authorization: `Bearer ${site.token}` },
    });
    expect(metrics).toMatch(/remuda_backup_last_success_timestamp_seconds\{cluster="demo"\} \d/);
  });

  it('takes no server from the command line: its key would have nowhere to stand', async () => {
    const refused = await run(['backup', 'create', 'demo', '--to', 's3://backups']);
    expect([refused.code, refused.err]).toEqual([2, expect.stringContaining('CLI-050')]);
    const absent = await run(['backup', 'list', 'nobody']);
    expect([absent.code, absent.err]).toEqual([1, expect.stringContaining('nobody')]);
  });

  it('tells what was changed, what it never made, and what is gone, beside what it knows', async () => {
    const made = await run(['backup', 'create', 'demo', '--to', join(folder, 'away'), '--wait']);
    expect(made.code, made.err).toBe(0);
    const [uid = ''] = readdirSync(join(folder, 'away'));
    const at = (name: string): string => join(folder, 'away', uid, name);
    const manifest = readdirSync(join(folder, 'away', uid)).find((name) => name.endsWith('.json')) ?? '';
    const kept = JSON.parse(readFileSync(at(manifest), 'utf8')) as BackupManifest;
    const standingOf = async (id: string): Promise<string | undefined> =>
      (await list()).backups.find((backup) => backup.id === id)?.standing;
    expect(await standingOf(kept.id)).toBe('good');
    // Somebody puts another file there, with what belongs beside it.
    const forged = { ...kept, file: { ...kept.file, sha256: 'f'.repeat(64) } };
    writeFileSync(at(manifest), JSON.stringify(forged));
    expect(await standingOf(kept.id)).toBe('changed');
    expect((await run(['backup', 'list', 'demo'])).out).toContain('CHANGED since it was written');
    const strange = `20260101T000000Z-${'0'.repeat(16)}`;
    writeFileSync(at(`${strange}.json`), JSON.stringify({ ...kept, id: strange }));
    writeFileSync(at(`${strange}.tar.age`), readFileSync(at(`${kept.id}.tar.age`)));
    expect(await standingOf(strange)).toBe('unknown');
    rmSync(at(manifest));
    expect(await standingOf(kept.id)).toBe('missing');
    rmSync(join(folder, 'away'), { recursive: true });
    const without = await run(['backup', 'list', 'demo']);
    expect([without.code, without.err]).toEqual([0, expect.stringContaining('BACKUP-002')]);
    expect(await standingOf(kept.id)).toBe('unseen');
  });

  it('tells nobody the key of the bucket, and says what is wrong when it is refused there', async () => {
    const state = readdirSync(site.folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name)));
    for (const content of state) expect(content.includes(moto.credentials.secretAccessKey)).toBe(false);
    await moto.requireAccount();
    const { places } = await list();
    expect(places.map(({ problem }) => problem?.code)).toContain('BACKUP-020');
    expect(JSON.stringify(places)).not.toContain(moto.credentials.secretAccessKey);
  });
});
