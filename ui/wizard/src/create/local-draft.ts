/** A draft as this browser keeps it until the daemon has it. */
export interface KeptDraft {
  readonly text: string;
  readonly step: string;
  /** The daemon's revision that it goes on from; 0 = the daemon has none yet. */
  readonly revision: number;
}

const keyOf = (id: string): string => `remuda-draft-${id}`;

/** What this browser kept; undefined when there is nothing readable. */
export function keptLocally(id: string): KeptDraft | undefined {
  try {
    const kept = JSON.parse(localStorage.getItem(keyOf(id)) ?? 'null') as KeptDraft | null;
    return typeof kept?.text === 'string' && typeof kept.revision === 'number' ? kept : undefined;
  } catch {
    return undefined;
  }
}

/** Keeps it; a full or forbidden storage is no reason to stop a person from typing. */
export function keepLocally(id: string, draft: KeptDraft): void {
  try {
    localStorage.setItem(keyOf(id), JSON.stringify(draft));
  } catch {
    // The daemon's copy remains.
  }
}

/** Forgets it. */
export function forgetLocally(id: string): void {
  localStorage.removeItem(keyOf(id));
}
