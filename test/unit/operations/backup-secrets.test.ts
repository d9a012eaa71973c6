import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { BackupDestination } from '../../../provisioners/contract/backup.ts';
import type { JsonObject } from '../../../provisioners/contract/json.ts';
import { contextFor, type Subject } from '../../../daemon/operations/observation.ts';
import { FakeSite } from './fake-site.ts';
import { tinyPlanners } from './tiny-planners.ts';

const bucket: Extract<BackupDestination, { readonly type: 's3' }> = {
  type: 's3',
  endpoint: 'https://s3.example:9000',
  region: 'us-east-1',
  bucket: 'backups',
  pathStyle: true,
  credentials: { secretRef: 'bucket-key' },
};
/** As a step's input has it. */
const inputOf = (destination: BackupDestination): JsonObject =>
  JSON.parse(JSON.stringify({ machine: {}, destination })) as JsonObject;

describe("a backup's secret", () => {
  let site: FakeSite;
  beforeEach(async () => {
    site = new FakeSite();
    await site.start();
  });
  afterEach(() => site.close());

  function give(destination?: string): void {
    const updatedAt = new Date(0).toISOString();
    site.state.secrets.put({
      name: 'bucket-key',
      keys: [],
      sealed: 'sealed',
      principal: 'p',
      updatedAt,
      ...(destination === undefined ? {} : { destination }),
    });
    if (destination !== undefined) site.state.secrets.bind('bucket-key', destination);
  }

  function subject(): Subject {
    const desired = tinyPlanners.readCluster({ name: 'one', things: [] });
    const document: JsonObject = {
      ...desired.document,
      spec: { backup: { credentials: { secretRef: 'bucket-key' } } },
    };
    return {
      cluster: { uid: 'u', name: 'one' },
      desired: { ...desired, document, backup: { destination: bucket, keep: {} } },
      provider: tinyPlanners.readProvider({ server: 'vcenter.example' }),
      keys: 'keys',
    };
  }

  test('goes with the steps that name it, and with nothing else of the cluster', () => {
    give('s3.example:9000');
    expect(contextFor(site.state, subject()).secrets).toEqual({});
    expect(contextFor(site.state, subject(), inputOf(bucket)).secrets).toEqual({ 'bucket-key': 'sealed' });
  });

  test('is bound to the server of the backup, whatever the provider is: another is refused (K8, SECRET-002)', () => {
    give('s3.example:9000');
    const moved = inputOf({ ...bucket, endpoint: 'https://evil.example' });
    expect(() => contextFor(site.state, subject(), moved)).toThrow(
      'was given for s3.example:9000 and is not handed to evil.example',
    );
    give('vcenter.example');
    expect(() => contextFor(site.state, subject(), inputOf(bucket))).toThrow(
      'is not handed to s3.example:9000',
    );
  });

  test('may be missing: the cluster is looked at all the same, and the backup says what it lacks (SECRET-001)', () => {
    expect(contextFor(site.state, subject()).secrets).toEqual({});
    expect(() => contextFor(site.state, subject(), inputOf(bucket))).toThrow(
      'the secret "bucket-key" that the backup of cluster one names is not in the store',
    );
  });
});
