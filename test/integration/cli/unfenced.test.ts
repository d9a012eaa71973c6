import { beforeAll, describe, expect, test } from 'vitest';
import type { Observed } from '../../../provisioners/contract/observed.ts';
import { addFakeCluster } from '../api/fake-clusters.ts';
import { commandsOnFakeSite } from './site-commands.ts';

const cli = commandsOnFakeSite();

const cluster = { uid: 'u-demo', name: 'demo' };
const at = '2026-11-21T05:00:00.000Z';
const observed: Observed = {
  cluster,
  at,
  infrastructure: { state: 'present', detail: '' },
  machines: [
    {
      name: 'demo-cp-2',
      token: 't',
      incarnation: 1,
      cluster,
      role: 'control-plane',
      id: 'i-2',
      state: 'running',
    },
  ],
  references: {},
  incarnations: {},
  retired: {
    'demo-cp-2': {
      mode: 'destroy',
      reason: 'replaced',
      since: at,
      isFenced: false,
      unfenced: { since: at, why: 'its host does not answer' },
    },
  },
  nodes: [],
  unseen: [],
};

beforeAll(async () => {
  addFakeCluster(cli.site, 'demo');
  const detail = cli.site.engine.clusters.get('demo');
  if (detail !== undefined) cli.site.engine.clusters.set('demo', { ...detail, observed });
});

describe('unfenced machines, from the command line (DESIGN §5)', () => {
  const way = 'remuda machine fenced demo demo-cp-2 --confirm demo-cp-2';

  test('get and describe name it, why, and what a person has to do', async () => {
    const listed = await cli.run(['get', 'machines']);
    expect(listed.out).toMatch(/demo-cp-2 +control-plane +unfenced/u);
    expect(listed.err).toContain('its host does not answer');
    expect(listed.err).toContain(way);
    expect((await cli.run(['describe', 'cluster', 'demo'])).out).toContain(way);
  });

  test('a person says that it is off, by its name; the word and whose it is are in the audit', async () => {
    const { code, out } = await cli.run(['machine', 'fenced', 'demo', 'demo-cp-2', '--confirm', 'demo-cp-2']);
    expect([code, out]).toEqual([0, expect.stringContaining('counts as fenced')]);
    expect(cli.askedFor('stateFenced')).toMatchObject({
      cluster: 'demo',
      machine: 'demo-cp-2',
      confirm: 'demo-cp-2',
      principal: 'token:admin',
    });
    const audit = await cli.run(['audit', 'list', '-o', 'json']);
    expect(audit.out).toContain('machine.state-fenced');
  });

  test('nothing left behind by nobody', async () => {
    expect((await cli.run(['get', 'leftovers'])).err).toContain(
      'No deleted cluster has left anything behind.',
    );
  });
});
