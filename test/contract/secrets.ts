import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clusterKeysSchema } from '../../provisioners/contract/secrets.ts';
import type { Bench } from './bench.ts';

/** What every SecretsPort must do. The bench's work carries the secret `dc1` with the value `password`. */
export function secretsSuite(name: string, makeBench: () => Promise<Bench>): void {
  describe(`secrets port, ${name}`, () => {
    let bench: Bench;
    beforeAll(async () => {
      bench = await makeBench();
    });
    afterAll(() => bench?.stop());

    it('opens the keys of the cluster, the same each time', async () => {
      const { secrets } = bench.ports();
      const keys = await secrets.clusterKeys();
      expect(() => clusterKeysSchema.parse(keys)).not.toThrow();
      expect(await bench.ports().secrets.clusterKeys()).toEqual(keys);
    });

    it('opens what the user gave', async () => {
      expect(await bench.ports().secrets.value('dc1', 'password')).not.toBe('');
    });

    it('says blocked, with the remedy, for what nobody gave', async () => {
      const { secrets } = bench.ports();
      for (const [secret, key] of [
        ['none', 'password'],
        ['dc1', 'none'],
      ] as const)
        await expect(secrets.value(secret, key)).rejects.toMatchObject({ report: { kind: 'blocked' } });
    });
  });
}
