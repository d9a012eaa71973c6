import type { Page } from 'playwright-core';

/** The page of one run as a person sees it, for tests. */
export class RunPage {
  readonly #page: Page;

  constructor(page: Page) {
    this.#page = page;
  }

  async open(title = 'Create demo'): Promise<void> {
    await this.#page.goto('/operations/op-1');
    await this.#page.getByRole('heading', { name: title }).waitFor();
  }

  /** Waits until the log's own words are these: `3 lines`, `2 of 3 lines`. */
  countIs(text: string): Promise<void> {
    const status = this.#page.locator('.remuda-log [role=status]', { hasText: new RegExp(`^${text}$`) });
    return status.first().waitFor();
  }

  /** Waits until the search says so: `20`, `1 of 20`. */
  foundIs(text: string): Promise<void> {
    return this.#page.locator('.remuda-search', { hasText: new RegExp(`^${text}\\b`) }).waitFor();
  }

  /** Numbers of the lines that exist as elements. */
  drawn(): Promise<number[]> {
    return this.#page.$$eval('[data-line]', (lines) =>
      lines.map((line) => Number(line.getAttribute('data-line'))),
    );
  }

  /** Numbers of the lines that can be seen. */
  seen(): Promise<number[]> {
    return this.#page.$$eval('[data-line]', (lines) => {
      const box = document.querySelector('.remuda-log-window')?.getBoundingClientRect();
      return lines
        .filter((line) => {
          const { top, bottom } = line.getBoundingClientRect();
          return box !== undefined && top >= box.top - 1 && bottom <= box.bottom + 1;
        })
        .map((line) => Number(line.getAttribute('data-line')));
    });
  }

  /** Elements of the whole page. */
  elements(): Promise<number> {
    return this.#page.evaluate(() => document.querySelectorAll('*').length);
  }

  /** The text of the file that the page hands out. */
  async downloaded(): Promise<string[]> {
    const [file] = await Promise.all([
      this.#page.waitForEvent('download'),
      this.#page.getByRole('button', { name: 'Download the lines shown' }).click(),
    ]);
    let content = '';
    for await (const part of await file.createReadStream()) content += String(part);
    return content.trimEnd().split('\n');
  }
}
