import Database from 'better-sqlite3';
import { appendFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { OperationLogs } from '../../../daemon/state/logs.ts';
import { closeDatabase, openDatabase } from '../../../daemon/state/database.ts';
import { migrations } from '../../../daemon/state/migrations/history.ts';
import type { Migration } from '../../../daemon/state/migrations/migration.ts';
import { State, type StateOptions } from '../../../daemon/state/state.ts';
import { FakeClock, settle } from '../operations/fake-clock.ts';
import { makeFolder } from '../operations/fake-site.ts';

let folder: string;
let clock: FakeClock;
beforeEach(() => {
  folder = makeFolder();
  clock = new FakeClock();
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const open = (more: Partial<StateOptions> = {}): State =>
  new State({ folder, reserveBytes: 0, clock: clock.view().clock, ...more });

const event = (type: string): Parameters<State['events']['append']>[0] => ({ at: 'now', type, data: {} });

describe('journal', () => {
  test('writes that come together share one commit and resolve in their order, durable', async () => {
    const state = open();
    const order: number[] = [];
    const writes = [1, 2, 3].map((number) =>
      state.journal.write(() => state.events.append(event(`e${number}`))).then(() => order.push(number)),
    );
    await settle();
    expect(state.events.last()).toBe(0);
    clock.tick();
    expect(state.events.last()).toBe(3);
    await Promise.all(writes);
    expect(order).toEqual([1, 2, 3]);
    state.close();
  });

  test('a write that throws is undone alone; its neighbours stay', async () => {
    const state = open();
    const good = state.journal.write(() => state.events.append(event('good')));
    const bad = state.journal.write(() => {
      state.events.append(event('bad'));
      throw new Error('no');
    });
    const last = state.journal.write(() => state.events.append(event('last')));
    const failed = expect(bad).rejects.toThrow('no');
    clock.tick();
    await failed;
    await Promise.all([good, last]);
    expect(state.events.list(0, { limit: 9 }).map(({ type }) => type)).toEqual(['good', 'last']);
    state.close();
  });

  test('closing commits what waits and takes nothing more', async () => {
    const state = open();
    const write = state.journal.write(() => state.events.append(event('e')));
    state.close();
    await write;
    await expect(state.journal.write(() => 1)).rejects.toThrow('closed');
    const again = open();
    expect(again.events.last()).toBe(1);
    again.close();
  });
});

describe('opening', () => {
  test('a clean stop and an unclean one are told apart, and an unclean one is checked', () => {
    const first = open();
    expect(first.lastStop).toBe('first-start');
    first.close();
    const second = open();
    expect(second.lastStop).toBe('clean');
    second.database.close();
    const third = open();
    expect(third.lastStop).toBe('unclean');
    third.close();
  });

  test('a damaged file is refused with what to do, never opened as if it were well', () => {
    const state = open();
    for (let number = 0; number < 500; number += 1)
      state.events.append({ at: 'x', type: 't'.repeat(200), data: {} });
    state.database.close();
    const path = join(folder, 'state.db');
    const bytes = readFileSync(path);
    // Overwrites pages in the middle, as a dying disk does.
    bytes.fill(0xa5, 4096 * 40, 4096 * 44);
    writeFileSync(path, bytes);
    expect(() => open()).toThrow(/damaged/);
  });

  test('a second daemon on the same state is refused (STATE-001)', () => {
    const state = open();
    expect(() => open()).toThrow(/another process holds/);
    state.close();
  });

  test('commits are synced, foreign keys are on', () => {
    const state = open();
    expect(state.database.pragma('synchronous', { simple: true })).toBe(2);
    expect(state.database.pragma('journal_mode', { simple: true })).toBe('wal');
    expect(() =>
      state.database.prepare("INSERT INTO plans VALUES ('none', 1, 'h', '{}', 'now')").run(),
    ).toThrow(/FOREIGN KEY/);
    state.close();
  });
});

describe('migration', () => {
  const next: Migration = {
    number: migrations.length + 1,
    title: 'a test',
    migrate: (database) => database.exec('ALTER TABLE events ADD COLUMN extra TEXT'),
  };

  test('a backup is made before, holds the state of before, and the new schema has the old rows', () => {
    const old = open();
    old.events.append(event('kept'));
    old.close();
    const state = open({ migrations: [...migrations, next] });
    expect(state.backup).toBe(join(folder, `state.db.schema-${migrations.length}.backup`));
    expect(state.events.last()).toBe(1);
    state.close();
    const backup = new Database(state.backup as string, { readonly: true });
    expect(backup.pragma('user_version', { simple: true })).toBe(migrations.length);
    expect(backup.prepare('SELECT type FROM events').pluck().all()).toEqual(['kept']);
    expect(backup.pragma('integrity_check', { simple: true })).toBe('ok');
    backup.close();
  });

  test('tokens of a state of before people were known go on working, and a person may have their name', () => {
    const { database } = openDatabase(join(folder, 'state.db'), migrations.slice(0, 2));
    database.exec(`INSERT INTO principals VALUES ('token:admin', 'admin', 'service', '["admin"]', 'now', NULL);
      INSERT INTO tokens VALUES ('hash', 'id', 'token:admin', 'admin', 'now', NULL, NULL);`);
    closeDatabase(database);
    const state = open();
    expect(state.principals.findToken('hash')).toMatchObject({ principal: 'token:admin', label: 'admin' });
    const person = {
      id: 'user:admin',
      name: 'admin',
      kind: 'person',
      roles: ['admin'],
      createdAt: 'now',
    } as const;
    state.principals.add(person);
    expect(() => state.principals.add({ ...person, id: 'user:other' })).toThrow(/UNIQUE/);
    expect(state.database.pragma('foreign_key_check')).toEqual([]);
    state.principals.remove('token:admin');
    expect(state.principals.findToken('hash')).toBeUndefined();
    state.close();
  });

  test('operations of a state of before windows were known keep what they wait for, and one at a time a cluster', () => {
    const { database } = openDatabase(join(folder, 'state.db'), migrations.slice(0, 9));
    database.exec(`INSERT INTO providers VALUES ('lab', 'lab', 'local', 'here', '{}', 'p', 'now');
      INSERT INTO clusters (uid, name, provider, sealed_keys, public_keys, created_at) VALUES ('u', 'one', 'lab', '', '{}', 'now');
      INSERT INTO operations (id, cluster, kind, state, waiting_for, principal, revision, plan_number, bypass, approved, created_at)
        VALUES ('first', 'u', 'update', 'waiting', 'approval', 'p', 1, 1, '[]', '[]', 'now'),
               ('second', 'u', 'update', 'waiting', 'operation', 'p', 1, 1, '[]', '[]', 'now');
      INSERT INTO plans VALUES ('first', 1, 'hash', '{}', 'now');`);
    closeDatabase(database);
    const state = open();
    const { operations } = state;
    expect(operations.get('first')).toMatchObject({
      waitingFor: 'approval',
      approvalsNeeded: 1,
      isAgreed: true,
    });
    expect(operations.get('second')).toMatchObject({ waitingFor: 'operation' });
    const change = { at: 'now', waitingFor: 'window', waitsUntil: 'then' } as const;
    operations.setState('first', 'waiting', change);
    expect(operations.get('first')).toMatchObject({ waitingFor: 'window', waitsUntil: 'then' });
    // Who waits for a window holds the cluster.
    expect(() => operations.setState('second', 'running', { at: 'now' })).toThrow(/UNIQUE/);
    expect(state.database.pragma('foreign_key_check')).toEqual([]);
    expect(state.database.pragma('integrity_check', { simple: true })).toBe('ok');
    state.close();
  });

  test('a migration that fails changes nothing; the next release tries again with another backup', () => {
    open().close();
    const failing: Migration = {
      ...next,
      migrate: (database) => {
        next.migrate(database);
        throw new Error('half way');
      },
    };
    expect(() => open({ migrations: [...migrations, failing] })).toThrow('half way');
    const state = open({ migrations: [...migrations, next] });
    expect(state.backup).toMatch(/backup-2$/);
    state.close();
  });

  test('a state that a newer release wrote is refused, untouched (STATE-003)', () => {
    open({ migrations: [...migrations, next] }).close();
    const before = readdirSync(folder).toSorted();
    expect(() => open()).toThrow(/newer release/);
    expect(readdirSync(folder).toSorted()).toEqual(before);
  });
});

describe('audit', () => {
  const entry = {
    at: 'now',
    principal: 'p',
    verb: 'cluster.apply',
    object: 'cluster/a',
    outcome: 'allowed',
    detail: { n: 1 },
  } as const;

  test('rows are chained; a changed row is found by its number, and the schema refuses to change one (DESIGN §8)', () => {
    const state = open();
    for (let number = 0; number < 5; number += 1) state.audit.append(entry);
    expect(state.audit.firstBroken()).toBeUndefined();
    expect(() => state.database.exec("UPDATE audit SET verb = 'nothing' WHERE number = 3")).toThrow(/fixed/);
    expect(() => state.database.exec('DELETE FROM audit')).toThrow(/kept/);
    state.database.exec("DROP TRIGGER audit_is_fixed; UPDATE audit SET verb = 'nothing' WHERE number = 3");
    expect(state.audit.firstBroken()).toBe(3);
    state.close();
  });
});

describe('logs', () => {
  const line = (sequence: number, text = `line ${sequence}`): Parameters<OperationLogs['append']>[1] => ({
    at: 'now',
    step: 's',
    text,
    epoch: 1,
    sequence,
  });

  test('the oldest segment is dropped whole; what is left can be read from any number', async () => {
    const logs = new OperationLogs(folder, { segmentBytes: 1000, segments: 3 });
    for (let number = 1; number <= 100; number += 1) {
      logs.append('op', line(number));
      logs.sync();
    }
    const all = await logs.read('op', 0, 1000);
    expect(all.firstKept).toBeGreaterThan(1);
    expect(all.lines.map(({ number }) => number)).toEqual(
      Array.from({ length: 101 - all.firstKept }, (_, index) => all.firstKept + index),
    );
    expect((await logs.read('op', 97, 2)).lines.map(({ text }) => text)).toEqual(['line 98', 'line 99']);
    expect(readdirSync(join(folder, 'op'))).toHaveLength(3);
    logs.closeAll();
  });

  test('a repeat is recognised by its number, also after a restart; a torn end is cut off', async () => {
    const logs = new OperationLogs(folder);
    logs.append('op', line(1));
    logs.append('op', line(2));
    expect(logs.append('op', line(2))).toBeUndefined();
    logs.closeAll();
    appendFileSync(join(folder, 'op', '000000000001.ndjson'), '{"number":3,"at":"no');
    const again = new OperationLogs(folder);
    expect(again.append('op', line(2))).toBeUndefined();
    expect(again.append('op', line(3))?.number).toBe(3);
    expect(again.append('op', { ...line(1), epoch: 2 })?.number).toBe(4);
    expect((await again.read('op', 0, 10)).lines.map(({ number }) => number)).toEqual([1, 2, 3, 4]);
    again.closeAll();
  });

  test('control codes of a machine reach nobody', async () => {
    const logs = new OperationLogs(folder);
    const kept = logs.append('op', line(1, '\u001b[31mred\u001b[0m\u0007\r tab\there \u009b1mx'));
    expect(kept?.text).toBe('red tab\there x');
    logs.closeAll();
  });
});

test('events are read from either end, of all clusters or of one', () => {
  const state = open();
  for (const cluster of ['apple', 'birch', 'apple', 'birch', 'apple'])
    state.events.append({ ...event('e'), cluster });
  const numbers = (events: readonly { readonly number: number }[]) => events.map(({ number }) => number);
  expect(numbers(state.events.list(1, { limit: 3 }))).toEqual([2, 3, 4]);
  expect(numbers(state.events.list(0, { cluster: 'birch', limit: 9 }))).toEqual([2, 4]);
  expect(numbers(state.events.listBack(9, { limit: 2 }))).toEqual([5, 4]);
  expect(numbers(state.events.listBack(5, { cluster: 'apple', limit: 9 }))).toEqual([3, 1]);
  state.close();
});
