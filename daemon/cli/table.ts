import Table from 'cli-table3';
import { dump } from 'js-yaml';
import { cleanLine } from './clean-text.ts';
import type { Printer } from './terminal.ts';

/** How lists are printed. */
export const outputForms = ['table', 'json', 'yaml'] as const;
export type OutputForm = (typeof outputForms)[number];

/** A column: heading, and the cell of an item. */
export interface Column<Item> {
  readonly title: string;
  readonly cell: (item: Item) => string;
  /** Colours the cleaned cell; called last, so that it cannot be spoofed from inside. */
  readonly paint?: (text: string, item: Item) => string;
}

const noBorder = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
};

/** Items as columns without lines: readable, and cut by awk and grep as people expect. */
export function tableText<Item>(
  items: readonly Item[],
  columns: readonly Column<Item>[],
  heading: (text: string) => string,
): string {
  const table = new Table({
    head: columns.map((column) => heading(column.title)),
    chars: noBorder,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  for (const item of items) {
    table.push(
      columns.map((column) => {
        const text = cleanLine(column.cell(item));
        return column.paint?.(text, item) ?? text;
      }),
    );
  }
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** Prints a list in the form asked for; `empty` is said when there is nothing (stderr, so that pipes stay empty). */
export function printList<Item>(
  printer: Printer,
  form: OutputForm,
  items: readonly Item[],
  columns: readonly Column<Item>[],
  empty: string,
): void {
  if (form !== 'table') return printData(printer, form, { items });
  if (items.length === 0) return printer.note(empty);
  printer.answer(tableText(items, columns, printer.out.bold));
}

/** JSON, or YAML of the same. */
export function printData(printer: Printer, form: 'json' | 'yaml', data: unknown): void {
  printer.answer(
    form === 'json' ? JSON.stringify(data, null, 2) : dump(data, { noRefs: true, lineWidth: 110 }).trimEnd(),
  );
}
