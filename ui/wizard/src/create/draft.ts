import { useCallback, useEffect, useRef, useState } from 'react';
import type { Draft, DraftViewer } from '../../../../daemon/api/types.ts';
import { call, get, Refusal } from '../api/http.ts';
import { readAnswerFile } from '../answer-file/stream.ts';
import { forgetLocally, type KeptDraft, keepLocally, keptLocally } from './local-draft.ts';

/** A pause in typing after which the draft is saved, milliseconds. */
const pause = 700;
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

/** What a draft starts from: the daemon's copy, or the newer one that this browser kept through a crash. */
export async function openDraft(id: string): Promise<KeptDraft | undefined> {
  const kept = keptLocally(id);
  // Never saved: there is nothing to ask for.
  if (kept?.revision === 0) return kept;
  try {
    const { body, revision } = await call<Draft>('GET', pathOf(id));
    const known = Number(revision ?? body.revision);
    if (kept && kept.revision === known) return kept;
    return { text: body.text, step: body.step, revision: known };
  } catch (error) {
    if (kept) return kept;
    if (error instanceof Refusal && error.details.status === 404) return undefined;
    throw error;
  }
}

/** Keeps the text of a draft: in this browser at once, at the daemon a moment later. */
export function useOpenDraft(id: string, start: KeptDraft, step: string, principal: string): OpenDraft {
  const [text, setText] = useState(start.text);
  const [saving, setSaving] = useState<Saving>('saved');
  const revision = useRef(start.revision);
  const isDiscarded = useRef(false);
  const [isKnown, setKnown] = useState(start.revision > 0);
  const others = usePresence(id, principal, isKnown);
  const save = useCallback(
    async (now: string, at: string) => {
      if (holdsSecret(now)) return setSaving('secret');
      try {
        const { body } = await call<Draft>('PUT', pathOf(id), {
          body: { title: titleOf(now) || 'New cluster', text: now, step: at },
          headers: { 'If-Match': `"${revision.current}"` },
        });
        revision.current = body.revision;
        setKnown(true);
        if (!isDiscarded.current) keepLocally(id, { text: now, step: at, revision: body.revision });
        return setSaving('saved');
      } catch (error) {
        const isConflict = error instanceof Refusal && [409, 412].includes(error.details.status);
        return setSaving(isConflict ? 'conflict' : 'only-here');
      }
    },
    [id],
  );
  useEffect(() => {
    if (isDiscarded.current) return;
    if (!holdsSecret(text)) keepLocally(id, { text, step, revision: revision.current });
    setSaving((now) => (now === 'conflict' ? now : 'saving'));
    const timer = setTimeout(() => void save(text, step), pause);
    return () => clearTimeout(timer);
  }, [id, save, step, text]);
  const settle = async (choice: 'theirs' | 'mine'): Promise<void> => {
    const { body } = await call<Draft>('GET', pathOf(id));
    revision.current = body.revision;
    if (choice === 'theirs') setText(body.text);
    setSaving('saving');
    await save(choice === 'theirs' ? body.text : text, step);
  };
  const discard = async (): Promise<void> => {
    isDiscarded.current = true;
    forgetLocally(id);
    await call('DELETE', pathOf(id)).catch(() => undefined);
  };
  return {
    text,
    title: titleOf(text),
    saving,
    others,
    setText,
    settle: (choice) => void settle(choice),
    discard,
  };
}

/** A secret in the text is never kept as a draft, neither here nor at the daemon. */
const holdsSecret = (text: string): boolean => /^\s*["']?kind["']?\s*:\s*["']?Secret\b/m.test(text);

/** Tells the daemon that the draft is open here, and learns who else has it open. */
function usePresence(id: string, principal: string, isKnown: boolean): readonly DraftViewer[] {
  const [viewers, setViewers] = useState<readonly DraftViewer[]>([]);
  useEffect(() => {
    if (!isKnown) return;
    const path = `${pathOf(id)}/presence`;
    const tell = async (): Promise<void> => {
      await call('PUT', path, { isBackground: true });
      const { openedBy } = await get<Draft>(pathOf(id), { isBackground: true });
      setViewers(openedBy);
    };
    const say = (): void => {
      tell().catch(() => undefined);
    };
    say();
    const timer = setInterval(say, presenceEvery);
    return () => {
      clearInterval(timer);
      call('DELETE', path, { isBackground: true }).catch(() => undefined);
    };
  }, [id, isKnown]);
  return viewers.filter((viewer) => viewer.id !== principal);
}
