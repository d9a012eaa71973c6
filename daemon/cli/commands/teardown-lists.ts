import { z } from 'zod';
import type { OperationDetail } from '../../api/types.ts';
import { cleanLine } from '../clean-text.ts';
import type { Printer } from '../terminal.ts';

const entrySchema = z.object({ type: z.string(), name: z.string() });

/** Facts of the step that proves a deletion (provisioners/kubernetes/steps/teardown-prove.ts). */
const proofSchema = z.object({
  gone: z.array(entrySchema),
  kept: z.array(entrySchema.extend({ policy: z.string() })),
  left: z.array(entrySchema.extend({ why: z.string() })),
});

const list = (names: readonly string[]): string => (names.length === 0 ? 'nothing' : names.join(', '));

/** Prints the three lists of a deletion that ended well (DESIGN §6); nothing for any other operation. */
export function printTeardownLists(printer: Printer, operation: OperationDetail): void {
  const proven = operation.stepList.find(
    ({ kind, state }) => kind === 'teardown.prove' && (state === 'succeeded' || state === 'kept'),
  );
  const proof = proofSchema.safeParse(proven?.facts);
  if (!proof.success) return;
  const { gone, kept, left } = proof.data;
  const nameOf = ({ type, name }: z.infer<typeof entrySchema>): string => `${type} ${name}`;
  const lines = [
    `gone: ${list(gone.map(nameOf))}`,
    `kept by policy: ${list(kept.map((entry) => `${nameOf(entry)} (${entry.policy})`))}`,
    `left: ${list(left.map((entry) => `${nameOf(entry)} (${entry.why})`))}`,
  ];
  for (const line of lines) printer.answer(cleanLine(line));
}
