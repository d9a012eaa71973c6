import { Blocked } from '../../contract/problem.ts';
import type { LedgerEntry } from '../../contract/provider.ts';
import type { LabRecord } from './record.ts';

/** The policy under which the ledger shows what was given away. */
const policy = 'ejected: it lives on without Remuda';

/** @throws Blocked when the lab was given away */
export function requireOwn(record: LabRecord | undefined): void {
  if (record?.isReleased !== true) return;
  const { name } = record.cluster;
  throw new Blocked('LAB-047', `the cluster ${name} was ejected: its machines are not Remuda's to change`, {
    remedy:
      'If Remuda is to look after it again: remuda cluster adopt -f FILE --master ADDRESS --ssh-key FILE',
  });
}

/** What of a lab that was given away exists, as kept by policy. */
export const asKept = (entries: readonly LedgerEntry[]): (LedgerEntry & { readonly policy: string })[] =>
  entries.map((entry) => Object.assign({ policy }, entry));
