import { firstJournal } from './0001-first-journal.ts';
import type { Migration } from './migration.ts';

/** All migrations in order. */
export const migrations: readonly Migration[] = [firstJournal];
