import { afterAll, test } from 'vitest';
import type { Site } from './site.ts';

/**
 * A story: chapters that stand on each other, told in order. After one has failed the others are skipped, and what the
 * site can say about it is printed.
 */
export class Story {
  readonly #times: string[] = [];
  readonly #site: () => Site;
  readonly #cluster: string;
  #isBroken = false;

  constructor(cluster: string, site: () => Site) {
    this.#cluster = cluster;
    this.#site = site;
    afterAll(() => console.log(`${cluster}, seconds a chapter:\n${this.#times.join('\n')}`));
  }

  chapter(title: string, tell: () => Promise<void>): void {
    test(title, async (context) => {
      if (this.#isBroken) context.skip('an earlier chapter failed');
      const began = performance.now();
      try {
        await tell();
      } catch (error) {
        this.#isBroken = true;
        console.log(await this.#site().describe(this.#cluster));
        throw error;
      } finally {
        this.#times.push(`${((performance.now() - began) / 1000).toFixed(1).padStart(7)}  ${title}`);
      }
    });
  }
}
