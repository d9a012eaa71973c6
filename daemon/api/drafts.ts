import type { AccessKey } from '../access/access-key.ts';
import type { Principal } from '../access/principals.ts';
import { AccessRefusal } from '../access/refusal.ts';
import type { AnswerDraftRecord, AnswerDrafts } from '../state/answer-drafts.ts';
import type { Draft, DraftPresence, DraftView, DraftViewer } from './schemas/drafts.ts';

/** Drafts one person keeps; more are forgotten ones. */
const mostDrafts = 100;
/** Who has not said so for this long has it no longer open, milliseconds; pages say it every 15 s. */
const presentFor = 45_000;
/** A Secret document in a draft, as anybody would write it. */
const secretDocument = /^\s*["']?kind["']?\s*:\s*["']?Secret\b/m;

/** What somebody wants to keep. */
export interface DraftWish {
  readonly title: string;
  readonly text: string;
  readonly step: string;
  readonly isShared?: boolean;
}

interface Presence {
  readonly name: string;
  readonly since: number;
  seenAt: number;
}

/** Answer files on the way. Their text is kept encrypted: people type things into files that belong elsewhere. */
export class Drafts {
  readonly #records: AnswerDrafts;
  readonly #key: AccessKey;
  readonly #now: () => number;
  readonly #present = new Map<string, Map<string, Presence>>();
  readonly #listeners = new Set<(presence: DraftPresence) => void>();

  constructor(records: AnswerDrafts, key: AccessKey, now: () => number = Date.now) {
    this.#records = records;
    this.#key = key;
    this.#now = now;
  }

  /** One's own, and those that are shared; newest first. */
  list(principal: Principal): readonly DraftView[] {
    return this.#records
      .listFor(principal.id)
      .filter((record) => isFor(principal, record))
      .map((record) => this.#viewOf(record));
  }

  /** @throws AccessRefusal API-006 for those of others, too. */
  get(principal: Principal, id: string): Draft {
    const record = this.#visible(principal, id);
    return { ...this.#viewOf(record), text: this.#key.open('draft', record.text, id) };
  }

  /**
   * Keeps a draft when it is still the one that was read; `ifRevision` 0 = there must be none.
   * @throws AccessRefusal ACCESS-021 (stale), ACCESS-022 (holds a secret), ACCESS-023 (too many).
   */
  put(principal: Principal, id: string, wish: DraftWish, ifRevision: number | undefined): DraftView {
    const known = this.#records.get(id);
    if (known) this.#visible(principal, id);
    if (ifRevision === undefined || ifRevision !== (known?.revision ?? 0)) throw stale(known);
    if (secretDocument.test(wish.text))
      throw new AccessRefusal('invalid', 'ACCESS-022', 'a draft keeps no secrets', {
        remedy:
          'Give the secret by its own form (or remuda secret set) and take its document out of the text.',
      });
    if (!known && this.#records.count(principal.id) >= mostDrafts)
      throw new AccessRefusal('conflict', 'ACCESS-023', `there are ${mostDrafts} drafts of yours`, {
        remedy: 'Delete those that you no longer need.',
      });
    const isOwner = known === undefined || known.owner === principal.id;
    const record: AnswerDraftRecord = {
      id,
      title: wish.title,
      step: wish.step,
      text: this.#key.seal('draft', wish.text, id),
      owner: known?.owner ?? principal.id,
      isShared: isOwner ? (wish.isShared ?? known?.isShared ?? false) : true,
      revision: (known?.revision ?? 0) + 1,
      updatedAt: new Date(this.#now()).toISOString(),
      updatedBy: principal.id,
    };
    this.#records.put(record);
    return this.#viewOf(record);
  }

  /** Only who made it may. @throws AccessRefusal API-006, ACCESS-024. */
  remove(principal: Principal, id: string): void {
    const record = this.#visible(principal, id);
    if (record.owner !== principal.id)
      throw new AccessRefusal('forbidden', 'ACCESS-024', 'only who made a draft may delete it', {
        remedy: `Ask ${record.owner}.`,
      });
    this.#records.remove(id);
    this.#present.delete(id);
  }

  /** Says that somebody has it open, from now on for a while; answers everybody who has. */
  open(principal: Principal, id: string): DraftPresence {
    this.#visible(principal, id);
    const before = this.#viewers(id).length;
    const here = this.#present.get(id) ?? new Map<string, Presence>();
    this.#present.set(id, here);
    const known = here.get(principal.id);
    if (known) known.seenAt = this.#now();
    else here.set(principal.id, { name: principal.name, since: this.#now(), seenAt: this.#now() });
    const presence = { draft: id, who: this.#viewers(id) };
    if (!known || before !== presence.who.length) this.#tell(presence);
    return presence;
  }

  /** Says that somebody closed it. */
  close(principal: Principal, id: string): void {
    if (this.#present.get(id)?.delete(principal.id)) this.#tell({ draft: id, who: this.#viewers(id) });
  }

  /** Whether a draft is for somebody's eyes. */
  mayKnowOf(principal: Principal, id: string): boolean {
    const record = this.#records.get(id);
    return record !== undefined && isFor(principal, record);
  }

  /** Calls back when somebody opens or closes a draft; the answer ends it. */
  onPresence(listener: (presence: DraftPresence) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #visible(principal: Principal, id: string): AnswerDraftRecord {
    const record = this.#records.get(id);
    if (record && isFor(principal, record)) return record;
    throw new AccessRefusal('not-found', 'API-006', `there is no draft "${id}"`, {
      remedy: 'It may have been deleted, or it is not shared with you.',
    });
  }

  #viewOf(draft: AnswerDraftRecord): DraftView {
    const { text: _, ...record } = draft;
    return { ...record, openedBy: this.#viewers(record.id) };
  }

  #viewers(id: string): readonly DraftViewer[] {
    const here = this.#present.get(id) ?? new Map<string, Presence>();
    for (const [who, { seenAt }] of here) if (this.#now() - seenAt > presentFor) here.delete(who);
    if (here.size === 0) this.#present.delete(id);
    return [...here].map(([who, { name, since }]) => ({
      id: who,
      name,
      since: new Date(since).toISOString(),
    }));
  }

  #tell(presence: DraftPresence): void {
    for (const listener of this.#listeners) listener(presence);
  }
}

/** A shared draft may be of a cluster that mere users know nothing of. */
const isFor = (principal: Principal, { owner, isShared }: AnswerDraftRecord): boolean =>
  owner === principal.id || (isShared && principal.role !== 'user');

function stale(known: AnswerDraftRecord | undefined): AccessRefusal {
  const summary =
    known === undefined
      ? 'there is no such draft any more'
      : `the draft is at revision ${known.revision}: ${known.updatedBy} changed it at ${known.updatedAt}`;
  return new AccessRefusal('conflict', 'ACCESS-021', summary, {
    remedy: 'Read it again and repeat your change on that. A new draft is sent with If-Match: "0".',
  });
}
