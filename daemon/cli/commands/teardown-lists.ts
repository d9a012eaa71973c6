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

/** Names said beside a count. */
const mostNames = 10;

const list = (names: readonly string[]): string => (names.length === 0 ? 'nothing' : names.join(', '));

type Proof = z.infer<typeof proofSchema>;

/** The three lists of a deletion; undefined when it proved nothing (yet) or the operation is none. */
export function teardownProof(operation: OperationDetail): Proof | undefined {
  const proven = operation.stepList.find(
    ({ kind, state }) => kind === 'teardown.prove' && (state === 'succeeded' || state === 'kept'),
  );
  const proof = proofSchema.safeParse(proven?.facts);
  return proof.success ? proof.data : undefined;
}

/** Prints the three lists of a deletion (DESIGN §6); nothing for any other operation. */
export function printTeardownLists(printer: Printer, operation: OperationDetail): void {
  const proof = teardownProof(operation);
  if (proof === undefined) return;
  const { gone, kept, left } = proof;
  const nameOf = ({ type, name }: z.infer<typeof entrySchema>): string => `${type} ${name}`;
  const lines = [
    `gone: ${list(countsByType(gone))}`,
    `kept by policy: ${list(kept.map((entry) => `${nameOf(entry)} (${entry.policy})`))}`,
    `left: ${list(left.map((entry) => `${nameOf(entry)} (${entry.why})`))}`,
  ];
  for (const line of lines) printer.answer(cleanLine(line));
}

/** `3 machine (cp-1, cp-2, w-1)` for each type; names only while they fit on a line. */
function countsByType(entries: Proof['gone']): string[] {
  const types = [...new Set(entries.map(({ type }) => type))];
  return types.map((type) => {
    const names = entries.filter((entry) => entry.type === type).map(({ name }) => name);
    const said = names.length <= mostNames ? names.join(', ') : `${names.slice(0, mostNames).join(', ')}, …`;
    return `${names.length} ${type}${names.length === 1 ? '' : 's'} (${said})`;
  });
}
