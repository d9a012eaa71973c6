import { useQuery } from '@tanstack/react-query';
import { useCallback, useEffect, useRef, useState } from 'react';
import type { Draft, DraftPresence, DraftViewer } from '../../../../daemon/api/types.ts';
import { call, Refusal } from '../api/http.ts';
import { keys } from '../api/queries.ts';
import { readAnswerFile } from '../answer-file/stream.ts';
import { forgetLocally, type KeptDraft, keepLocally, keptLocally } from './local-draft.ts';

/** A pause in typing after which the draft is saved, milliseconds. */
const pause = 700;
/** A pause before a daemon that was away is asked again, milliseconds. */
const tryAgainAfter = 3_000;
/** How often the daemon hears that the draft is still open here, milliseconds. */
const presenceEvery = 15_000;

/** Where the person's words are safe just now. */
export type Saving = 'saved' | 'saving' | 'only-here' | 'secret' | 'conflict';

/** A draft that is open on this page. */
export interface OpenDraft {
  readonly text: string;
  readonly title: string;
  readonly saving: Saving;
  /** Others who have it open. */
  readonly others: readonly DraftViewer[];
  setText(text: string): void;
  /** Takes what somebody else has saved, or writes over it. */
  settle(choice: 'theirs' | 'mine'): void;
  /** Forgets the draft here and at the daemon. */
  discard(): Promise<void>;
}

const pathOf = (id: string): string => `/api/v1/drafts/${encodeURIComponent(id)}`;

/** The name of the first cluster, as title in lists. */
const titleOf = (text: string): string =>
  readAnswerFile(text).documents.find(({ kind }) => kind === 'Cluster')?.name ?? '';

/** What a draft starts from. */
export interface StartingDraft extends KeptDraft {
  /** The text that the daemon has; undefined = it has none, or could not be asked. */
  readonly common?: string;
}

/** The daemon's copy, or the newer one that this browser kept through a crash; undefined when there is neither. */
export async function openDraft(id: string): Promise<StartingDraft | undefined> {
  const kept = keptLocally(id);
  // Never saved: there is nothing to ask for.
  if (kept?.revision === 0) return kept;
  try {
    const { body, revision } = await call<Draft>('GET', pathOf(id));
    const known = Number(revision ?? body.revision);
    if (kept && kept.revision === known) return { ...kept, common: body.text };
    return { text: body.text, step: body.step, revision: known, common: body.text };
  } catch (error) {
    if (error instanceof Refusal && error.details.status === 404) return undefined;
    if (kept) return kept;
    throw error;
  }
}

/** Keeps the text of a draft: in this browser at once, at the daemon a moment later. */
export function useOpenDraft(id: string, start: StartingDraft, step: string, principal: string): OpenDraft {
  const [text, setText] = useState(start.text);
  const [{ saving, tries }, setSaving] = useState<{ readonly saving: Saving; readonly tries: number }>({
    saving: 'saved',
    tries: 0,
  });
  const [copy] = useState(() => new DaemonCopy(id, start));
  const [isKnown, setKnown] = useState(copy.isKnown);
  const turns = useRef(Promise.resolve());
  const others = usePresence(id, principal, isKnown);
  const save = useCallback(
    (now: string, at: string, isForced = false) => {
      // One after the other: two at once would take each other for somebody else.
      turns.current = turns.current.then(async () => {
        const outcome = await copy.save(now, at, isForced);
        if (outcome.text !== undefined) setText(outcome.text);
        setKnown(copy.isKnown);
        setSaving((before) => ({ saving: outcome.saving, tries: before.tries + 1 }));
      });
      return turns.current;
    },
    [copy],
  );
  useEffect(() => {
    copy.keepLocally(text, step);
    const timer = setTimeout(() => void save(text, step), pause);
    return () => clearTimeout(timer);
  }, [copy, save, step, text]);
  useEffect(() => {
    if (saving !== 'only-here') return;
    const timer = setTimeout(() => void save(text, step), tryAgainAfter);
    return () => clearTimeout(timer);
  }, [save, saving, step, text, tries]);
  return {
    text,
    title: titleOf(text),
    saving,
    others,
    setText(now) {
      setText(now);
      setSaving((before) => (before.saving === 'conflict' ? before : { ...before, saving: 'saving' }));
    },
    settle: (choice) => void (choice === 'mine' ? save(text, step, true) : copy.take().then(setText)),
    discard: () => copy.discard(),
  };
}

/** What came of an attempt to save; `text` when somebody else's words are to be shown from now on. */
interface Outcome {
  readonly saving: Saving;
  readonly text?: string;
}

/** The daemon's copy of a draft, and what it said when it was last in step with this page. */
class DaemonCopy {
  readonly #id: string;
  #revision: number;
  /** The text that both had; undefined = not known, as after a start without connection. */
  #common: string | undefined;
  #isDiscarded = false;

  constructor(id: string, { revision, common }: StartingDraft) {
    this.#id = id;
    this.#revision = revision;
    this.#common = common;
  }

  /** Whether the daemon has the draft at all. */
  get isKnown(): boolean {
    return this.#revision > 0;
  }

  keepLocally(text: string, step: string): void {
    if (!this.#isDiscarded && !holdsSecret(text))
      keepLocally(this.#id, { text, step, revision: this.#revision });
  }

  /** Never throws: a daemon that is away is one of the outcomes. */
  async save(text: string, step: string, isForced: boolean): Promise<Outcome> {
    if (this.#isDiscarded) return { saving: 'saved' };
    if (holdsSecret(text)) return { saving: 'secret' };
    try {
      if (isForced) await this.take();
      return await this.#put(text, step);
    } catch (error) {
      if (!isConflict(error)) return { saving: 'only-here' };
      return await this.#reconcile(text, step).catch((): Outcome => ({ saving: 'only-here' }));
    }
  }

  /** The daemon's text, from which this page goes on. @throws Refusal, ServerAway */
  async take(): Promise<string> {
    const { body } = await call<Draft>('GET', pathOf(this.#id));
    this.#revision = body.revision;
    this.#common = body.text;
    return body.text;
  }

  async discard(): Promise<void> {
    this.#isDiscarded = true;
    forgetLocally(this.#id);
    await call('DELETE', pathOf(this.#id)).catch(() => undefined);
  }

  async #put(text: string, step: string): Promise<Outcome> {
    const { body } = await call<Draft>('PUT', pathOf(this.#id), {
      body: { title: titleOf(text) || 'New cluster', text, step },
      headers: { 'If-Match': `"${this.#revision}"` },
    });
    this.#revision = body.revision;
    this.#common = text;
    this.keepLocally(text, step);
    return { saving: 'saved' };
  }

  /** Only when both sides changed the words is there something to ask; a step that was turned is no change. */
  async #reconcile(text: string, step: string): Promise<Outcome> {
    const [revision, common] = [this.#revision, this.#common];
    const theirs = await this.take();
    if (theirs === text || theirs === common) return await this.#put(text, step);
    if (text === common) return { saving: 'saved', text: theirs };
    [this.#revision, this.#common] = [revision, common];
    return { saving: 'conflict' };
  }
}

const isConflict = (error: unknown): boolean =>
  error instanceof Refusal && [409, 412].includes(error.details.status);

/** A secret in the text is never kept as a draft, neither here nor at the daemon. */
const holdsSecret = (text: string): boolean => /^\s*["']?kind["']?\s*:\s*["']?Secret\b/m.test(text);

/** Tells the daemon that the draft is open here; who else has it open is answered, and sent when it changes. */
function usePresence(id: string, principal: string, isKnown: boolean): readonly DraftViewer[] {
  const { data = [] } = useQuery({
    queryKey: keys.viewers(id),
    queryFn: async () => {
      const { body } = await call<DraftPresence>('PUT', `${pathOf(id)}/presence`, { isBackground: true });
      return body.who;
    },
    enabled: isKnown,
    // Whoever opens it says so, also a moment after she closed it.
    staleTime: 0,
    // The daemon forgets who has not said for a while that it is still open.
    refetchInterval: presenceEvery,
    retry: false,
  });
  useEffect(() => {
    if (!isKnown) return;
    return () => {
      call('DELETE', `${pathOf(id)}/presence`, { isBackground: true }).catch(() => undefined);
    };
  }, [id, isKnown]);
  return data.filter((viewer) => viewer.id !== principal);
}
