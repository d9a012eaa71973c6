import type { Json } from '../../../provisioners/contract/json.ts';
import { Problem } from '../../../provisioners/contract/problem.ts';
import type { Duration } from '../../../provisioners/contract/time.ts';
import {
  certificateLevels,
  certificateThresholds,
  type InventoriedCertificate,
} from '../../planning/certificates.ts';
import type { ClusterEntry } from '../../state/clusters.ts';
import type { AgentLink } from '../link.ts';
import { subjectOf } from '../plan-record.ts';
import type { Planners } from '../planners.ts';
import { lookAndKeep } from '../preparation.ts';
import type { Recorder } from '../recorder.ts';
import { Refusal } from '../requests.ts';
import type { Certificates } from './certificates.ts';

/** How often the daemon asks itself whether something is to be told: a clock that was set, or a night off, costs little. */
const round: Duration = 60 * 60_000;

/** So long after the start the first round begins: agents have come back by then. */
const firstRound: Duration = 60_000;

/** How old what was seen may be before it is looked at anew: the daily check (complaint 13). */
const day: Duration = 24 * 60 * 60_000;

/** What the watch stands on. */
export interface CertificateWatchParts {
  readonly recorder: Recorder;
  readonly planners: Planners;
  readonly links: (site: string) => AgentLink;
  readonly certificates: Pick<Certificates, 'inventory'>;
}

const gravity = (level: string): number => certificateLevels.findIndex((one) => one === level);

/** Looks at every cluster's certificates once a day, and tells what is near its end: each threshold once. */
export class CertificateWatch {
  readonly #parts: CertificateWatchParts;
  #stopWaiting: (() => void) | undefined;
  #isStarted = false;

  constructor(parts: CertificateWatchParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#isStarted = true;
    this.#next(firstRound);
  }

  stop(): void {
    this.#isStarted = false;
    this.#stopWaiting?.();
  }

  /** One round over all clusters, one after another. */
  async check(): Promise<void> {
    for (const cluster of this.#parts.recorder.state.clusters.list()) {
      if (!this.#isStarted) return;
      await this.#look(cluster);
      if (this.#isStarted) await this.#tell(cluster);
    }
  }

  #next(delay: Duration): void {
    this.#stopWaiting = this.#parts.recorder.clock.after(delay, () => {
      const again = (): void => {
        if (this.#isStarted) this.#next(round);
      };
      this.check().then(again, again);
    });
  }

  /** Looks afresh where what was seen is old. What cannot be seen now was seen before, and its end does not move. */
  async #look({ uid }: ClusterEntry): Promise<void> {
    const { recorder, planners, links } = this.#parts;
    const { state, clock } = recorder;
    const seen = state.clusters.certificates(uid);
    // An operation looks by itself, and a cluster that nobody has begun yet has nothing to tell.
    if (state.operations.holder(uid) !== undefined) return;
    if (seen === undefined && !state.attempts.hasReceipt(uid, 'control-plane.init')) return;
    if (seen !== undefined && clock.now() - Date.parse(seen.at) < day) return;
    try {
      const subject = subjectOf(state, planners, uid);
      const link = links(subject.provider.site);
      if (link.isConnected) await lookAndKeep(recorder, link, subject);
    } catch (error) {
      // No agent, no secret, no time: it is tried again in the next round.
      if (!(error instanceof Refusal) && !(error instanceof Problem)) throw error;
    }
  }

  /** Events and what is remembered of them are durable together: nobody is told twice. */
  async #tell({ uid, name: cluster }: ClusterEntry): Promise<void> {
    const { recorder, certificates } = this.#parts;
    const inventory = certificates.inventory(uid);
    if (inventory === undefined) return;
    const warnings = recorder.state.certificateWarnings;
    const told = warnings.list(uid);
    const toldOf = ({ machine, name, notAfter }: InventoriedCertificate) =>
      told.find((one) => one.machine === machine && one.name === name && one.notAfter === notAfter);
    const worse = inventory.certificates.filter(
      (one) => one.level !== 'ok' && gravity(one.level) < gravity(toldOf(one)?.level ?? 'ok'),
    );
    const machines = new Set(inventory.certificates.map(({ machine }) => machine));
    // Of a master that was not visited this time nothing is known, and nothing is forgotten.
    const over = told.filter(
      ({ machine, name, notAfter }) =>
        machines.has(machine) &&
        !inventory.certificates.some(
          (one) => one.machine === machine && one.name === name && one.notAfter === notAfter,
        ),
    );
    if (worse.length + over.length === 0) return;
    await recorder.commit((note, at) => {
      for (const one of over) warnings.remove(uid, one);
      for (const one of worse) {
        warnings.put(uid, one, at);
        note({ type: 'certificate.expires', cluster, data: dataOf(cluster, one) });
      }
    });
  }
}

const remedies: Readonly<
  Record<InventoriedCertificate['keeper'], (cluster: string, machine: string) => string>
> = {
  kubeadm: (cluster) => `remuda certificates renew ${cluster}`,
  kubelet: (_cluster, machine) =>
    `The kubelet on ${machine} renews it by itself and did not: see its journal.`,
  rotation: () =>
    'The authority has to be rotated: make a new cluster, or rotate it by hand as Kubernetes describes.',
  nobody: () => 'Nothing: nobody checks it.',
  'somebody else': () => 'It is none of kubeadm’s: whoever put it there renews it.',
};

function dataOf(
  cluster: string,
  { machine, name, notAfter, level, keeper, remaining }: InventoriedCertificate,
): Json {
  const threshold = certificateThresholds.find((one) => one.level === level)?.atMost ?? 0;
  return {
    machine,
    certificate: name,
    notAfter,
    level,
    threshold: `${threshold / day}d`,
    daysLeft: Math.floor(remaining / day),
    remedy: remedies[keeper](cluster, machine),
  };
}
