import {
  type BackupDestination,
  type BackupManifest,
  backupWords,
} from '../../../provisioners/contract/backup.ts';
import { canonicalJson } from '../../../provisioners/contract/json.ts';
import type { ProblemReport } from '../../../provisioners/contract/problem.ts';
import type { Instant } from '../../../provisioners/contract/time.ts';
import type { BackupReceipt } from '../../state/backups.ts';
import { optional } from '../../state/columns.ts';
import type { State } from '../../state/state.ts';
import type { AgentLink } from '../link.ts';
import { contextFor, type Subject } from '../observation.ts';
import { asRefusal } from '../preparation.ts';
import { problems } from '../problems.ts';
import { Refusal } from '../requests.ts';

/** What is to be thought of a backup. */
export type BackupStanding =
  /** It lies there as the journal says it was written. */
  | 'good'
  /** The journal knows another file under that name. */
  | 'changed'
  /** It lies there, and this journal never made it. */
  | 'unknown'
  /** The newest that the journal knows of, and it does not lie there. */
  | 'missing'
  /** The journal knows it; what it lies on could not be asked. */
  | 'unseen';

/** One backup of a cluster. */
export interface BackupView {
  readonly id: string;
  /** In words: where it lies. */
  readonly place: string;
  readonly at: Instant;
  /** Of the snapshot in it. */
  readonly bytes: number;
  /** Every write up to this revision of etcd is in it. */
  readonly revision: number;
  /** Member of etcd that gave it. */
  readonly member: string;
  readonly kubernetesVersion: string;
  readonly standing: BackupStanding;
}

/** A place that was asked. */
export interface BackupPlaceView {
  readonly place: string;
  /** Why it could not be asked. */
  readonly problem?: ProblemReport;
}

/** All that is known of a cluster's backups. */
export interface BackupListing {
  readonly cluster: string;
  /** Newest first. */
  readonly backups: readonly BackupView[];
  readonly places: readonly BackupPlaceView[];
  /** When the newest was finished, wherever it went; absent when there was none. */
  readonly lastSuccessAt?: Instant;
  /** When the next begins by schedule. */
  readonly nextAt?: Instant;
}

/** How many backups back places are sought to which backups went before. */
const lookBack = 50;

/** Asks every place to which backups of a cluster go or went, and lays beside it what the journal knows. */
export async function listBackups(
  state: State,
  link: AgentLink,
  subject: Subject,
): Promise<Pick<BackupListing, 'backups' | 'places'>> {
  const asked = await askPlaces(state, link, subject);
  return {
    backups: asked
      .flatMap(({ backups }) => backups)
      .toSorted((one, other) => other.id.localeCompare(one.id, 'en')),
    places: asked.map(({ view }) => view),
  };
}

/** A backup that lies somewhere, and where that is. */
export interface LyingBackup {
  readonly view: BackupView;
  readonly destination: BackupDestination;
}

/** The backups that lie at the places that could be asked; and the places, in words, that could not. */
export async function lookForBackups(
  state: State,
  link: AgentLink,
  subject: Subject,
): Promise<{ readonly lying: readonly LyingBackup[]; readonly silent: readonly string[] }> {
  const asked = await askPlaces(state, link, subject);
  const isThere = ({ standing }: BackupView): boolean => standing !== 'missing' && standing !== 'unseen';
  return {
    lying: asked.flatMap(({ backups, destination }) =>
      backups.filter(isThere).map((view) => ({ view, destination })),
    ),
    silent: asked.flatMap(({ view }) => (view.problem === undefined ? [] : [view.place])),
  };
}

async function askPlaces(state: State, link: AgentLink, subject: Subject): Promise<readonly Asked[]> {
  const receipts = state.backups.list(subject.cluster.uid, lookBack);
  const places = new Map<string, BackupDestination>();
  for (const place of [subject.desired.backup.destination, ...receipts.map((one) => one.destination)])
    places.set(keyOf(place), place);
  return Promise.all(
    [...places].map(async ([key, destination]) => {
      const known = receipts.filter((receipt) => keyOf(receipt.destination) === key);
      return askPlace(state, link, subject, { destination, known });
    }),
  );
}

/** Two places are the same when the same files are found there, whatever opens them. */
function keyOf(destination: BackupDestination): string {
  if (destination.type === 'ssh') return canonicalJson({ ...destination, hostKeys: [], credentials: {} });
  if (destination.type === 's3') return canonicalJson({ ...destination, authority: '', credentials: {} });
  return canonicalJson(destination);
}

interface Asked {
  readonly destination: BackupDestination;
  readonly view: BackupPlaceView;
  readonly backups: readonly BackupView[];
}

async function askPlace(
  state: State,
  link: AgentLink,
  subject: Subject,
  {
    destination,
    known,
  }: { readonly destination: BackupDestination; readonly known: readonly BackupReceipt[] },
): Promise<Asked> {
  const place = backupWords(destination);
  try {
    const context = contextFor(state, subject, { destination });
    if (!link.isConnected || link.reach === undefined)
      throw new Refusal('unavailable', [problems.noAgent(subject.provider.site)]);
    const manifests = await link.reach('backup.list', { context, destination });
    return {
      destination,
      view: { place },
      backups: compared(place, manifests, state, subject.cluster.uid, known),
    };
  } catch (error) {
    const refusal = asRefusal(error);
    if (!(refusal instanceof Refusal)) throw refusal;
    const [problem] = refusal.problems;
    return {
      destination,
      view: { place, ...optional('problem', problem) },
      backups: known.map((receipt) => viewOf(place, receipt, 'unseen')),
    };
  }
}

function compared(
  place: string,
  manifests: readonly BackupManifest[],
  state: State,
  uid: string,
  known: readonly BackupReceipt[],
): BackupView[] {
  const there = manifests.map((manifest): BackupView => {
    const { id, at, snapshot, revision, member, kubernetesVersion, file } = manifest;
    const receipt = state.backups.find(uid, id);
    const about = { id, place, at, bytes: snapshot.bytes, revision, member, kubernetesVersion };
    if (receipt === undefined) return { ...about, standing: 'unknown' };
    return { ...about, standing: receipt.fileSha256 === file.sha256 ? 'good' : 'changed' };
  });
  // Older ones may have been removed by the rules; the newest is never, but by hand.
  const newest = known.find(({ id }) => state.backupRemovals.destinationOf(uid, id) === undefined);
  const isMissing = newest !== undefined && !there.some(({ id }) => id === newest.id);
  return isMissing ? [...there, viewOf(place, newest, 'missing')] : there;
}

const viewOf = (
  place: string,
  { id, at, bytes, revision, member, kubernetesVersion }: BackupReceipt,
  standing: BackupStanding,
): BackupView => ({ id, place, at, bytes, revision, member, kubernetesVersion, standing });
