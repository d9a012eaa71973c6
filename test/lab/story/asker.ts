import type { RunningCommand } from './command.ts';
import type { Site } from './site.ts';
import { steadyWorkload } from './steady-workload.ts';

/**
 * Asks for ever, five times a second, and says of each request when, and how it ended: `ok`, or curl's exit status. A pod
 * that ends loses its files before its processes: without curl (127, POSIX shell) nobody has asked.
 */
const loop = `while sleep 0.2; do
  curl --silent --fail --max-time 2 --output /dev/null ${steadyWorkload.url} && echo ok && continue
  status=$?; [ $status = 127 ] && exit; echo "$(date -u +%T) curl $status"
done`;

/** The line to a pod whose machine is gone does not end by itself. */
function cutWhenSilent(command: RunningCommand): NodeJS.Timeout {
  let seen = 0;
  return setInterval(() => {
    if (command.output.length === seen) command.kill();
    seen = command.output.length;
  }, 15_000);
}

/**
 * Somebody inside the cluster who asks a Service five times a second. Pods to ask from come and go: when the line to
 * one ends, the next is taken; requests that nobody could make meanwhile are no failed ones, and are not counted.
 */
export class Asker {
  answered = 0;
  readonly failed: string[] = [];
  readonly #site: Site;
  #isOver = false;
  #command: RunningCommand | undefined;
  #ended: Promise<void> | undefined;

  constructor(site: Site) {
    this.#site = site;
  }

  start(): void {
    this.#ended = this.#askOn();
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    this.#command?.kill();
    await this.#ended;
  }

  /** What failed, for the record of a run. */
  summary(): string {
    const failed = this.failed.length === 0 ? 'none failed' : `failed: ${this.failed.join('; ')}`;
    return `${this.answered} requests to the Service answered, ${failed}`;
  }

  async #askOn(): Promise<void> {
    const { namespace, asker } = steadyWorkload;
    while (!this.#isOver) {
      const words = ['-n', namespace, 'exec', `deployment/${asker}`, '--', '/bin/bash', '-c', loop];
      this.#command = this.#site.run(this.#site.kubectlProgram, words);
      const watch = cutWhenSilent(this.#command);
      const { stdout } = await this.#command.ended;
      clearInterval(watch);
      for (const line of stdout.split('\n').filter((each) => each !== '')) {
        if (line === 'ok') this.answered += 1;
        else this.failed.push(line);
      }
      await new Promise((done) => setTimeout(done, 1_000));
    }
  }
}
