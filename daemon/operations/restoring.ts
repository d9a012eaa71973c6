import { createHash } from 'node:crypto';
import {
  type BackupDestination,
  type BackupManifest,
  backupWords,
} from '../../provisioners/contract/backup.ts';
import type { Intent } from '../../provisioners/contract/intent.ts';
import { canonicalJson } from '../../provisioners/contract/json.ts';
import type { Observed } from '../../provisioners/contract/observed.ts';
import { hasEtcdApart } from '../planning/etcd-machines.ts';
import { machineMoves, rotationMove } from '../planning/machine-moves.ts';
import type { PlanAnswer } from './answers.ts';
import { requireAgent } from './asking.ts';
import type { DayTwoDoors, IntentAnswer } from './day-two.ts';
import type { AgentLink } from './link.ts';
import { contextFor, type Subject } from './observation.ts';
import { subjectOf } from './plan-record.ts';
import type { Planners } from './planners.ts';
import { asRefusal, lookAndKeep } from './preparation.ts';
import { problems } from './problems.ts';
import type { Recorder } from './recorder.ts';
import { Refusal } from './requests.ts';
import { lossOf, type SinceBackup } from './restore-loss.ts';
import { restoreProblems } from './restore-problems.ts';

type RestoreIntent = Extract<Intent, { kind: 'restore' }>;
type Source = RestoreIntent['source'];

/** `restore`, and its plan. */
export interface RestoreRequest {
  readonly cluster: string;
  readonly principal: string;
  /** Default: a backup. */
  readonly from: 'backup' | 'survivor';
  /** Id of the backup; the newest that the journal knows when left out. */
  readonly backup?: string;
  /** The master, or the machine of etcd, that is left; needed where several answer. */
  readonly survivor?: string;
  /** Masters and machines of etcd that do not answer and never will. */
  readonly lost: readonly string[];
  /** The backup may be one that the journal knows nothing of. */
  readonly acceptsUnknown: boolean;
  readonly bypass?: readonly string[];
  readonly planHash?: string;
  readonly confirm?: string;
  readonly idempotencyKey?: string;
}

/** A restore's plan, and what it loses as it stands now: sentences. */
export interface RestorePlanAnswer extends PlanAnswer {
  readonly loss: readonly string[];
}

/** What restoring needs. */
export interface RestoringParts {
  readonly recorder: Recorder;
  readonly planners: Planners;
  readonly links: (site: string) => AgentLink;
  readonly dayTwo: DayTwoDoors;
}

/** What the API asks of it. */
export type RestoreDoors = Pick<Restoring, 'plan' | 'start'>;

/** How many backups back places are sought to which backups went before. */
const lookBack = 50;

/**
 * Two restores of one cluster never share files on its masters; looking twice at the same gives the same. `before`: id
 * of the restore that was begun last.
 */
const keyFor = (uid: string, before: string): string =>
  createHash('sha256').update(`${uid}\n${before}`).digest('hex').slice(0, 12);

/**
 * A restore is an intent like every other, once it is known what is restored: the backup is looked up where backups lie
 * and compared with the journal; the master that is left is found by looking.
 */
export class Restoring {
  readonly #parts: RestoringParts;

  constructor(parts: RestoringParts) {
    this.#parts = parts;
  }

  /** What it would do and what would be lost, from a fresh look. Starts nothing. */
  async plan(request: RestoreRequest): Promise<RestorePlanAnswer> {
    const { dayTwo, recorder } = this.#parts;
    const intent = await this.#intentOf(request);
    const answer = await dayTwo.plan(this.#asked(request, intent));
    const observed = recorder.state.clusters.find(request.cluster)?.observed;
    const loss = lossOf(intent, observed, this.#sinceBackup(request.cluster, intent), recorder.clock.now());
    const told = `\nLOST:\n${loss.map((line) => `  ${line}\n`).join('')}`;
    return { ...answer, plans: answer.plans.map((plan) => ({ ...plan, text: `${plan.text}${told}` })), loss };
  }

  /** Begins it. */
  async start(request: RestoreRequest): Promise<IntentAnswer> {
    const intent = this.#rememberedIntent(request) ?? (await this.#intentOf(request));
    return this.#parts.dayTwo.start(this.#asked(request, intent));
  }

  /** Who came and who left since the backup was made, as far as this journal knows. */
  #sinceBackup(cluster: string, { source }: RestoreIntent): SinceBackup {
    const { attempts, backups, clusters } = this.#parts.recorder.state;
    const uid = clusters.find(cluster)?.uid;
    if (source.from === 'survivor' || uid === undefined)
      return { madeAt: '', came: [], left: [], hasRotated: false };
    const madeAt = backups.find(uid, source.id)?.at ?? source.at;
    const since = (kinds: readonly string[]): string[] =>
      [...new Set(kinds.flatMap((kind) => attempts.succeededSince(uid, kind, madeAt)))].toSorted();
    const left = since(machineMoves.leave);
    const came = since(machineMoves.come).filter((name) => !left.includes(name));
    // Machines of etcd alone are no Nodes that could come back; no group of workers bears their name.
    const hadNode = (name: string): boolean => !name.startsWith(`${cluster}-etcd-`);
    const hasRotated = since([rotationMove]).length > 0;
    return { madeAt, came, left: left.filter(hadNode), hasRotated };
  }

  #asked(request: RestoreRequest, intent: RestoreIntent) {
    const { cluster, principal, bypass, planHash, confirm, idempotencyKey } = request;
    return {
      cluster,
      principal,
      intent,
      ...(bypass === undefined ? {} : { bypass }),
      ...(planHash === undefined ? {} : { planHash }),
      ...(confirm === undefined ? {} : { confirm }),
      ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
    };
  }

  /** A repeat under the same key means what was begun then, whatever there is by now. */
  #rememberedIntent({ idempotencyKey, principal }: RestoreRequest): RestoreIntent | undefined {
    const { state } = this.#parts.recorder;
    const kept = idempotencyKey === undefined ? undefined : state.answers.get(idempotencyKey, principal);
    if (kept === undefined) return undefined;
    const intent = state.plans.get(String(JSON.parse(kept.answer)), 1)?.plan.intent;
    if (intent?.kind !== 'restore') return undefined;
    const { newMaster: _master, newEtcd: _etcd, ...asked } = intent;
    return asked;
  }

  async #intentOf(request: RestoreRequest): Promise<RestoreIntent> {
    const { recorder, planners, links } = this.#parts;
    const { state } = recorder;
    const record = state.clusters.find(request.cluster);
    if (record === undefined) throw new Refusal('not-found', [problems.notFound('cluster', request.cluster)]);
    const subject = subjectOf(state, planners, record.uid);
    const link = links(subject.provider.site);
    requireAgent(state, link, subject.provider.site);
    const source =
      request.from === 'backup'
        ? await this.#backup(request, subject, link)
        : survivorAmong(request, await lookAndKeep(recorder, link, subject));
    const before = state.operations.newest(record.uid, ['restore'])?.id ?? '';
    return { kind: 'restore', key: keyFor(record.uid, before), source, lost: [...request.lost] };
  }

  /** @throws Refusal where there is no such backup, it was changed, or is of unknown origin and nobody accepts that */
  async #backup(request: RestoreRequest, subject: Subject, link: AgentLink): Promise<Source> {
    const { state } = this.#parts.recorder;
    const { uid } = subject.cluster;
    const { found, silent } = await this.#backups(subject, link);
    const isKnown = ({ id }: BackupManifest): boolean => state.backups.find(uid, id) !== undefined;
    const { backup } = request;
    const chosen =
      backup === undefined
        ? (found.find(({ manifest }) => isKnown(manifest)) ?? found[0])
        : found.find(({ manifest }) => manifest.id === backup);
    if (chosen === undefined)
      throw new Refusal('not-found', [restoreProblems.noBackup(request.cluster, backup, silent)]);
    const { manifest, destination } = chosen;
    const { id, at, kubernetesVersion, revision, snapshot, file } = manifest;
    const receipt = state.backups.find(uid, id);
    if (receipt !== undefined && receipt.fileSha256 !== file.sha256)
      throw new Refusal('invalid', [restoreProblems.changed(id, backupWords(destination))]);
    if (receipt === undefined && !request.acceptsUnknown)
      throw new Refusal('invalid', [restoreProblems.unknown(id, backupWords(destination))]);
    return {
      from: 'backup',
      destination,
      id,
      at,
      kubernetesVersion,
      revision,
      bytes: snapshot.bytes,
      snapshotSha256: receipt?.sha256 ?? snapshot.sha256,
      fileSha256: receipt?.fileSha256 ?? file.sha256,
      isKnown: receipt !== undefined,
    };
  }

  /** What lies at every place to which backups of the cluster go or went, newest first; and which could not be asked. */
  async #backups(subject: Subject, link: AgentLink) {
    const { state } = this.#parts.recorder;
    const receipts = state.backups.list(subject.cluster.uid, lookBack);
    const places = new Map<string, BackupDestination>();
    for (const place of [subject.desired.backup.destination, ...receipts.map((one) => one.destination)])
      places.set(canonicalJson(place), place);
    const silent: string[] = [];
    const found: { readonly manifest: BackupManifest; readonly destination: BackupDestination }[] = [];
    for (const destination of places.values()) {
      try {
        const context = contextFor(state, subject, { destination });
        const manifests = (await link.reach?.('backup.list', { context, destination })) ?? [];
        found.push(...manifests.map((manifest) => ({ manifest, destination })));
      } catch (error) {
        const refusal = asRefusal(error);
        if (!(refusal instanceof Refusal)) throw refusal;
        silent.push(`${backupWords(destination)}: ${refusal.message}`);
      }
    }
    const newestFirst = found.toSorted((one, other) =>
      other.manifest.id.localeCompare(one.manifest.id, 'en'),
    );
    return { found: newestFirst, silent };
  }
}

/** @throws Refusal where none answers, or several do and nobody said which */
function survivorAmong({ cluster, survivor }: RestoreRequest, observed: Observed): Source {
  if (survivor !== undefined) return { from: 'survivor', machine: survivor };
  const { certificates = [], machines = [], retired } = observed;
  const role = hasEtcdApart(observed) ? 'etcd' : 'control-plane';
  const answering = [...new Set(certificates.map(({ machine }) => machine))].filter(
    (name) =>
      retired[name] === undefined &&
      machines.some((machine) => machine.name === name && machine.role === role),
  );
  const [only, ...more] = answering;
  if (only !== undefined && more.length === 0) return { from: 'survivor', machine: only };
  throw new Refusal('invalid', [restoreProblems.whichSurvivor(cluster, role, answering)]);
}
