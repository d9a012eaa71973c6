import type { LineScan } from './line-scan.ts';
import type { LineStore } from './line-store.ts';

/** Lines made into text between two breaths of the page. */
const sliceLines = 2000;

/** Hands the lines that are shown to the browser as a text file: time in UTC, machine, step, text. */
export async function download(store: LineStore, scan: LineScan, name: string): Promise<void> {
  const parts: string[] = [];
  for (let row = 0; row < scan.rows; row += sliceLines) {
    let part = '';
    for (let index = row; index < Math.min(scan.rows, row + sliceLines); index += 1) {
      const line = store.at(scan.positionAt(index));
      if (line === undefined) continue;
      const machine = line.machine === '' ? '-' : line.machine;
      part += `${new Date(line.at).toISOString()} ${machine} ${line.step} ${line.text}\n`;
    }
    parts.push(part);
    await new Promise((resolve) => setTimeout(resolve));
  }
  const address = URL.createObjectURL(new Blob(parts, { type: 'text/plain;charset=utf-8' }));
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  // The browser has begun to read it by then; Chromium and Firefox both need it to live until that.
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
