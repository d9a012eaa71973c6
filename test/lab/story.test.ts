import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { operationViewSchema, planAnswerSchema } from '../../daemon/api/types.ts';
import { footprint } from './provider-footprint.ts';
import { answerFile } from './story/answers.ts';
import { ArgumentWatch } from './story/arguments.ts';
import { addedTo, labsOf, snapshotBox } from './story/box.ts';
import { Canary, keyMaterial } from './story/canary.ts';
import type { RunningCommand } from './story/command.ts';
import { changesOfRemuda, LabMachine } from './story/machine.ts';
import { servedNames } from './story/serving.ts';
import { Site } from './story/site.ts';
import { Story } from './story/telling.ts';
import { RunningCluster } from './story/running-cluster.ts';
import { until } from './story/wait.ts';
import { workload } from './story/workload.ts';

const cluster = 'story';
const network = '10.77.9';
const masters = ['story-cp-1', 'story-cp-2', 'story-cp-3'];
const workers = ['story-general-1', 'story-general-2'];
const machines = [...masters, ...workers];
const secret = `canary-${randomBytes(24).toString('hex')}`;

let site: Site;
let before: Set<string>;
let watch: ArgumentWatch;
let inside: RunningCluster;
const canaries = [new Canary('the secret of the answer file', Buffer.from(secret))];
/** What the commands printed: what a person would hand to support. */
const printed: string[] = [];

const machine = (name: string): LabMachine => new LabMachine(site, cluster, name);

/** Writes the answer file for so many workers. */
function answers(count: number): string {
  const path = join(site.folder, 'home', 'answers.yaml');
  const text = answerFile({ name: cluster, subnet: `${network}.0/24`, masters: 3, workers: count, secret });
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

async function operations(): Promise<ReturnType<typeof operationViewSchema.parse>[]> {
  const { stdout } = await site.expectRemuda('get', 'operations', '-o', 'json');
  return operationViewSchema.array().parse((JSON.parse(stdout) as { items: unknown }).items);
}

/** The cluster as one master sees it. */
const through = (name: string, host: number): RunningCluster =>
  new RunningCluster(site, cluster, { name, address: `${network}.${host}` }, endsWell);

/** Ends a command that must end well, and keeps what it printed. */
async function endsWell(command: RunningCommand): Promise<string> {
  const { code, stdout, stderr } = await command.ended;
  printed.push(stdout, stderr);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  return stdout;
}

beforeAll(async () => {
  site = await Site.prepare();
  inside = through('story-cp-1', 11);
  before = snapshotBox(site.labs);
  watch = new ArgumentWatch();
});

afterAll(async () => {
  watch?.stop();
  await site?.stop();
});

describe('the story of a highly available cluster in the lab', () => {
  const story = new Story(cluster, () => site);
  let apply: RunningCommand;

  story.chapter('the daemon runs without rights, the agent enrols', async () => {
    await site.start();
    const status = readFileSync(`/proc/${site.pidOf('daemon')}/status`, 'utf8');
    expect(/^Uid:\s+(\d+)\s+(\d+)/m.exec(status)?.slice(1)).not.toContain('0');
    expect(status).toMatch(/^CapEff:\s+0+$/m);
  });

  story.chapter('asked for by a file alone (E2); a worker is unplugged before its join', async () => {
    apply = site.follow('apply', '-f', answers(2), '--wait');
    await apply.says(/started control plane: Start the control plane on story-cp-1/);
    await site.lab('cable', 'story/story-general-2', 'out');
  });

  story.chapter('agent and daemon die in the middle of a join: the same join goes on', async () => {
    const cp2 = machine('story-cp-2');
    const [unit = ''] = await until('kubeadm join on story-cp-2', () => {
      const units = cp2.units('kubeadm_join');
      if (units.some((name) => cp2.hasEnded(name))) throw new Error('the join ended before it was seen');
      if (units.length === 0) return undefined;
      watch.look();
      return watch.kubeadm('join', 'story-cp-2').length > 0 && units;
    });
    await site.kill('agent');
    await site.kill('daemon');
    // The kills must have fallen into the join, or this proves nothing.
    expect(cp2.hasEnded(unit)).toBe(false);
    await apply.says(/the daemon is away/);
    site.startDaemon();
    site.startAgent();
    await apply.says(/the daemon is back/);
    expect(apply.isRunning).toBe(true);
    await apply.says(/(done|already so) control plane: Join story-cp-2/);
    expect(cp2.units('kubeadm_join')).toEqual([unit]);
    expect(watch.kubeadm('join', 'story-cp-2')).toHaveLength(1);
  });

  story.chapter(
    'the unplugged worker is awaited by name, with what, since, usually and a remedy',
    async () => {
      const [, since, usually] = await apply.says(
        /story-general-2: waits for [^\n]*story-general-2[^\n]*cannot be reached[^\n]*; for ([^,\n]+), usually ([^\n]+)/,
      );
      expect([since, usually]).toEqual([expect.stringMatching(/\d/), expect.stringMatching(/\d+ s/)]);
      await apply.says(/story-general-2: you could: [^\n]*power and network/);
      // The others do not wait for it: neither what runs beside it nor the next master.
      await apply.says(/(done|already so) control plane: Join story-cp-3/);
      await apply.says(/(done|already so) workers: Join story-general-1/);
    },
  );

  story.chapter('plugged in again, it joins, and the operation ends by itself', async () => {
    await site.lab('cable', 'story/story-general-2', 'in');
    await endsWell(apply);
    expect((await operations()).map(({ kind, state }) => [kind, state])).toEqual([['create', 'succeeded']]);
    for (const name of machines) {
      const verb = name === 'story-cp-1' ? 'init' : 'join';
      expect([name, machine(name).units(`kubeadm_${verb}`).length]).toEqual([name, 1]);
    }
  });

  story.chapter(
    'five nodes, three voters, the API at its virtual address, DNS, a Service over all nodes (H4, H10, C2)',
    async () => {
      writeFileSync(
        join(site.folder, 'home/kubeconfig'),
        await endsWell(site.follow('kubeconfig', cluster)),
        { mode: 0o600 },
      );
      expect(await site.kubectl('cluster-info')).toContain(`https://${network}.100:6443`);
      expect(await inside.readyNodes()).toEqual(machines);
      expect(await inside.voters()).toEqual(masters);
      writeFileSync(join(site.folder, 'home/workload.json'), workload.manifest);
      await site.kubectl('apply', '-f', join(site.folder, 'home/workload.json'));
      await site.kubectl('-n', 'story', 'rollout', 'status', 'daemonset/echo', '--timeout=120s');
      await site.kubectl('-n', 'story', 'wait', 'pod/client', '--for=condition=Ready', '--timeout=120s');
      expect(await inside.nodesThatAnswer(machines.length)).toEqual(machines);
    },
  );

  story.chapter(
    'kubelets serve with certificates of the cluster; logs go through them (milestone C)',
    async () => {
      const template =
        '{range .items[?(@.spec.signerName=="kubernetes.io/kubelet-serving")]}{.spec.username} {.status.conditions[*].type}{"\\n"}{end}';
      const requests = (await site.kubectl('get', 'csr', '-o', `jsonpath=${template}`))
        .trim()
        .split('\n')
        .sort();
      printed.push(requests.join('\n'));
      // A kubelet that was started again meanwhile has asked again.
      expect([...new Set(requests)]).toEqual(machines.map((name) => `system:node:${name} Approved`));
      const authority = machine('story-cp-1').read('etc/kubernetes/pki/ca.crt');
      for (const name of machines) {
        const path = '{.status.addresses[?(@.type=="InternalIP")].address}';
        const address = await site.kubectl('get', 'node', name, '-o', `jsonpath=${path}`);
        expect(await servedNames(address, authority)).toBe(`DNS:${name}, IP Address:${address}`);
      }
      expect(await site.kubectl('-n', 'story', 'logs', 'daemonset/echo', '--tail=1')).toBeTypeOf('string');
    },
  );

  story.chapter(
    'a program gets a token of its own, and loses its rights when it is revoked (E1)',
    async () => {
      const file = join(site.folder, 'home/token-kubeconfig');
      const { stdout } = await site.expectRemuda('credentials', 'token', cluster, '--days', '1');
      writeFileSync(file, stdout, { mode: 0o600 });
      expect(await site.kubectl('--kubeconfig', file, 'get', 'nodes')).toContain(masters[0]);
      const list = JSON.parse(
        (await site.expectRemuda('credentials', 'list', cluster, '-o', 'json')).stdout,
      ) as {
        readonly items: readonly { readonly id: string; readonly kind: string }[];
      };
      const id = list.items.find(({ kind }) => kind === 'token')?.id ?? '';
      await site.expectRemuda('credentials', 'revoke', cluster, id);
      // API servers hear of it one after another, within a moment.
      const words = ['--kubeconfig', file, 'get', 'nodes'];
      const refused = await until(
        'the token to be refused',
        async () => {
          const end = await site.run(site.kubectlProgram, words).ended;
          return end.code !== 0 && end;
        },
        { limit: 60_000 },
      );
      expect(refused.stderr).toMatch(/forbidden|Unauthorized|must be logged in/i);
    },
  );

  story.chapter('complaint 2: a second apply changes nothing at all', async () => {
    const configured = machines.map((name) => machine(name).configuration());
    const marks = masters.map((name) => machine(name).auditEnd());
    const stdout = await endsWell(site.follow('apply', '-f', answers(2), '--wait'));
    expect(stdout).toContain('Cluster/story unchanged');
    expect(await operations()).toHaveLength(1);
    const { code } = await site.remuda(['plan', '-f', answers(2), '--exit-code']);
    expect(code).toBe(0);
    expect(machines.map((name) => machine(name).configuration())).toEqual(configured);
    const events = masters.map((name, index) =>
      machine(name).auditSince(marks[index] ?? { inode: 0, offset: 0 }),
    );
    expect(events.flatMap(changesOfRemuda)).toEqual([]);
    // The same question finds what the making of the cluster changed.
    const whole = masters.flatMap((name) => machine(name).auditSince({ inode: 0, offset: 0 }));
    expect(changesOfRemuda(whole).length).toBeGreaterThan(10);
  });

  story.chapter('a Secret lies encrypted in etcd, and the cluster reads it (H6, C6)', async () => {
    await site.kubectl(
      '-n',
      'story',
      'create',
      'secret',
      'generic',
      'kept',
      '--from-literal=word=open-sesame',
    );
    const value = await inside.etcdctl('get', '/registry/secrets/story/kept', '--print-value-only');
    expect(value).toMatch(/^k8s:enc:secretbox:v1:/);
    expect(value).not.toContain('open-sesame');
    const read = await site.kubectl('-n', 'story', 'get', 'secret', 'kept', '-o', 'jsonpath={.data.word}');
    expect(Buffer.from(read, 'base64').toString()).toBe('open-sesame');
    // Nothing but Secrets is encrypted: the same question shows another object as it is.
    expect(await inside.etcdctl('get', '/registry/namespaces/story', '--print-value-only')).toContain(
      'story',
    );
  });

  story.chapter('one worker more touches one machine', async () => {
    const planned = await site.remuda(['plan', '-f', answers(3), '-o', 'json', '--exit-code']);
    expect(planned.code).toBe(6);
    const [plan] = planAnswerSchema.parse(JSON.parse(planned.stdout)).plans;
    const subjects = new Set(plan?.plan.steps.map(({ subject }) => subject));
    expect([...subjects].filter((subject) => subject !== 'cluster')).toEqual(['story-general-3']);
    const configured = machines.map((name) => machine(name).configuration());
    await endsWell(site.follow('apply', '-f', answers(3), '--wait'));
    expect(await inside.readyNodes()).toEqual([...machines, 'story-general-3']);
    expect(machines.map((name) => machine(name).configuration())).toEqual(configured);
    await site.kubectl('-n', 'story', 'rollout', 'status', 'daemonset/echo', '--timeout=120s');
    expect(await inside.nodesThatAnswer(machines.length + 1)).toContain('story-general-3');
  });

  story.chapter('canary: secrets are nowhere they must not be, while the cluster lives', async () => {
    for (const name of ['ca', 'etcd/ca', 'front-proxy-ca', 'sa']) {
      const pem = machine('story-cp-1').read(`etc/kubernetes/pki/${name}.key`);
      canaries.push(new Canary(`the key ${name}`, keyMaterial(pem)));
    }
    for (const words of supportCommands) printed.push(await endsWell(site.follow(...words)));
    const found = canaries.flatMap((canary) => [
      ...canary
        .filesWith(site.folder, (path) => mayHoldKeys(path))
        .map((path) => `${canary.name} in ${path}`),
      ...(canary.isIn(printed.join('\n')) ? [`${canary.name} in what the commands printed`] : []),
    ]);
    expect(found).toEqual([]);
  });

  story.chapter(
    'the first master is replaced, a worker leaves and stays as a machine (C1, C2, complaint 7)',
    async () => {
      const change = ['machine', 'replace', cluster, 'story-cp-1', '--yes', '--confirm', cluster, '--wait'];
      await endsWell(site.follow(...change));
      inside = through('story-cp-2', 12);
      expect(await inside.voters()).toEqual(['story-cp-2', 'story-cp-3', 'story-cp-4']);
      await endsWell(
        site.follow('machine', 'remove', cluster, 'story-general-2', '--keep', '--yes', '--wait'),
      );
      const left = ['story-cp-2', 'story-cp-3', 'story-cp-4', 'story-general-1', 'story-general-3'];
      expect(await inside.readyNodes()).toEqual(left);
      // Whatever is started there later: without these nothing of it is part of the cluster.
      const { disk } = machine('story-general-2');
      expect(existsSync(join(disk, 'etc/kubernetes/kubelet.conf'))).toBe(false);
      expect(existsSync(join(disk, 'etc/systemd/system/multi-user.target.wants/kubelet.service'))).toBe(
        false,
      );
      expect((await site.remuda(['plan', '-f', answers(2), '--exit-code'])).code).toBe(0);
    },
  );

  story.chapter('delete: confirmed, proven, and nothing is left on the box (C1, C10)', async () => {
    const refused = await site.remuda(['delete', cluster, '--wait']);
    expect(refused.code).toBe(7);
    expect(refused.stdout + refused.stderr).toContain('story-general-3');
    const labs = labsOf(site.labs);
    expect(labs).toHaveLength(1);
    const stdout = await endsWell(site.follow('delete', cluster, '--confirm', cluster, '--wait'));
    for (const list of [/^gone: /m, /^kept by policy: nothing/m, /^left: nothing/m])
      expect(stdout).toMatch(list);
    expect(site.withoutServices(footprint(site.labs, labs))).toEqual([]);
    expect(addedTo(before, snapshotBox(site.labs))).toEqual([]);
    expect((await site.expectRemuda('get', 'clusters', '-o', 'json')).stdout).not.toContain(cluster);
  });

  story.chapter('canary: nor are they after its end, nor were they ever on a command line', async () => {
    for (const words of [
      ['events', '-o', 'json'],
      ['get', 'operations', '-o', 'json'],
    ])
      printed.push(await endsWell(site.follow(...words)));
    const seen = [...watch.all.map(({ line }) => line), ...printed].join('\n');
    const found = canaries.flatMap((canary) => [
      ...canary.filesWith(site.folder, isOwnAnswerFile).map((path) => `${canary.name} in ${path}`),
      ...(canary.isIn(seen) ? [`${canary.name} in a command line or in what a command printed`] : []),
    ]);
    expect(found).toEqual([]);
    // The same search finds what is there: the canary in the file that the user wrote.
    expect(canaries[0]?.filesWith(join(site.folder, 'home'))).toEqual([
      join(site.folder, 'home/answers.yaml'),
    ]);
  });
});

const supportCommands = [
  ['describe', 'cluster', cluster],
  ['get', 'clusters', cluster, '-o', 'yaml'],
  ['get', 'providers', '-o', 'yaml'],
  ['get', 'secrets', '-o', 'yaml'],
  ['get', 'machines', '-o', 'json'],
  ['get', 'operations', '-o', 'json'],
  ['logs', cluster, '-o', 'json'],
  ['events', '-o', 'json'],
];

const isOwnAnswerFile = (path: string): boolean => path === join(site.folder, 'home/answers.yaml');

/** Masters hold the authorities' keys where kubeadm expects them (DESIGN §6); nobody else does. */
const mayHoldKeys = (path: string): boolean =>
  isOwnAnswerFile(path) ||
  masters.some((name) => path.startsWith(join(machine(name).disk, 'etc/kubernetes/pki')));
