import { join } from 'node:path';
import type { RunningCommand } from './command.ts';
import { LabMachine } from './machine.ts';
import type { Site } from './site.ts';
import { until } from './wait.ts';
import { workload } from './workload.ts';

/** What a cluster says of itself, asked with its own programs and never through Remuda. */
export class RunningCluster {
  readonly #site: Site;
  readonly #name: string;
  readonly #master: { readonly name: string; readonly address: string };
  readonly #endsWell: (command: RunningCommand) => Promise<string>;

  /** @param master whose certificates are used */
  constructor(
    site: Site,
    name: string,
    master: { readonly name: string; readonly address: string },
    endsWell: (command: RunningCommand) => Promise<string>,
  ) {
    this.#site = site;
    this.#name = name;
    this.#master = master;
    this.#endsWell = endsWell;
  }

  /** Names of the Nodes that are Ready, sorted. */
  async readyNodes(): Promise<string[]> {
    const template =
      '{range .items[*]}{.metadata.name} {.status.conditions[?(@.type=="Ready")].status}{"\\n"}{end}';
    const nodes = await this.#site.kubectl('get', 'nodes', '-o', `jsonpath=${template}`);
    return nodes
      .split('\n')
      .filter((line) => line.endsWith(' True'))
      .map((line) => line.split(' ')[0] ?? '')
      .sort();
  }

  /** What etcdctl answers. */
  etcdctl(...words: readonly string[]): Promise<string> {
    // Where its disk lies is known only when it has been made.
    const { disk } = new LabMachine(this.#site, this.#name, this.#master.name);
    const pki = join(disk, 'etc/kubernetes/pki/etcd');
    const command = this.#site.run(this.#site.etcdctlProgram, [
      `--endpoints=https://${this.#master.address}:2379`,
      `--cacert=${pki}/ca.crt`,
      `--cert=${pki}/server.crt`,
      `--key=${pki}/server.key`,
      ...words,
    ]);
    return this.#endsWell(command);
  }

  /** Started voters by etcd's own word, sorted. */
  async voters(): Promise<string[]> {
    const lines = (await this.etcdctl('member', 'list')).trim().split('\n');
    return lines
      .map((line) => line.split(', '))
      .filter(([, state, , , , learner]) => state === 'started' && learner !== 'true')
      .map(([, , name]) => name ?? '')
      .sort();
  }

  /**
   * Nodes that answered a pod through the Service's DNS name, asked until `count` have. The lab's DNS looks at new
   * Services every ten seconds, and which pod answers is chance.
   */
  async nodesThatAnswer(count: number): Promise<string[]> {
    const ask = `for turn in {1..20}; do curl --silent --show-error --fail --max-time 5 ${workload.url} || sleep 1; done`;
    const seen = new Set<string>();
    const look = async (): Promise<boolean> => {
      const answer = await this.#site.kubectl('-n', 'story', 'exec', 'client', '--', '/bin/bash', '-c', ask);
      for (const [, node = ''] of answer.matchAll(/"node":"([^"]+)"/g)) seen.add(node);
      return seen.size >= count;
    };
    await until(`an answer of ${count} nodes`, look, { seen: () => `answered: ${[...seen].join(', ')}` });
    return [...seen].sort();
  }
}
