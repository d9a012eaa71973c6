import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { canLoad, loadBridgeFilter } from '../../../provisioners/infrastructure/lab/kernel-modules.ts';

const settings = ['iptables', 'ip6tables', 'arptables'].map((protocol) => `bridge-nf-call-${protocol}`);
let folder: string;
let bridge: string;
let loaded: string[];

/** A fake of what the kernel does when the module comes: its settings appear, all on. */
async function load(module: string): Promise<void> {
  loaded.push(module);
  mkdirSync(bridge);
  for (const name of settings) writeFileSync(join(bridge, name), '1');
}

const seen = (): string[] => settings.map((name) => readFileSync(join(bridge, name), 'utf8'));

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'remuda-modules-'));
  bridge = join(folder, 'bridge');
  loaded = [];
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('the kernel of the box, which all hosts of a lab share', () => {
  it("gets br_netfilter where it is missing, and the box's own bridges stay unfiltered", async () => {
    await loadBridgeFilter(bridge, load);
    expect(loaded).toEqual(['br_netfilter']);
    expect(seen()).toEqual(['0', '0', '0']);
  });

  it('is left alone where somebody filters bridges already', async () => {
    await load('by somebody else');
    await loadBridgeFilter(bridge, load);
    expect(loaded).toEqual(['by somebody else']);
    expect(seen()).toEqual(['1', '1', '1']);
  });

  it('is changed no further when the module does not come', async () => {
    await expect(loadBridgeFilter(bridge, () => Promise.reject(new Error('no such module')))).rejects.toThrow(
      'no such module',
    );
    expect(existsSync(bridge)).toBe(false);
  });

  it('is asked for a module without a change', async () => {
    expect(await canLoad('remuda-there-is-no-such-module')).toBe(false);
  });
});
