import { afterAll, beforeAll, beforeEach } from 'vitest';
import type { Plan } from '../../../provisioners/contract/plan.ts';
import { fakeOperation } from '../api/fake-engine.ts';
import { type FakeSite, startFakeSite } from '../api/fake-site.ts';
import { CommandLine, type CommandResult } from './command.ts';

/** The `remuda` command against a site whose engine is a fake; both are there for as long as the suite runs. */
class SiteCommands {
  #site: FakeSite | undefined;
  #line: CommandLine | undefined;

  /** @throws Error before the suite has begun */
  get site(): FakeSite {
    if (this.#site === undefined) throw new Error('the site is there when the suite has begun');
    return this.#site;
  }

  async begin(): Promise<void> {
    this.#site = await startFakeSite();
    this.#line = new CommandLine(this.#site);
  }

  async end(): Promise<void> {
    this.#line?.[Symbol.dispose]();
    await this.#site?.[Symbol.asyncDispose]();
  }

  /** Runs a command to its end. */
  run(...given: Parameters<CommandLine['run']>): Promise<CommandResult> {
    if (this.#line === undefined) throw new Error('commands are run when the suite has begun');
    return this.#line.run(...given);
  }

  /** What the engine was asked first under this name in this test; undefined when it was not. */
  askedFor(name: string): unknown {
    return this.site.engine.asked.find((one) => one.name === name)?.request;
  }

  /** Lets the engine answer every plan with this one, of hash `sha256:one`, which must be confirmed by the cluster's name. */
  answerPlan(text: string, more: Pick<Plan, 'kind'> & Partial<Pick<Plan, 'cluster' | 'destroys'>>): void {
    const plan: Plan = {
      cluster: { uid: 'u-1', name: 'demo' },
      premises: { revision: 'r', observedAt: '2026-11-21T05:00:00.000Z', machines: {}, versions: {} },
      steps: [],
      destroys: [],
      notices: [],
      changes: [],
      ...more,
    };
    const { name } = plan.cluster;
    const hash = 'sha256:one';
    const shown = { cluster: name, plan, hash, text, isUnchanged: false };
    this.site.engine.planAnswer = { problems: [], plans: [shown], hash, needsConfirmation: [name] };
  }
}

/** Begins and ends with the suite it is called in; before each test the engine forgets what it was asked and told to refuse. */
export function commandsOnFakeSite(): SiteCommands {
  const commands = new SiteCommands();
  beforeAll(() => commands.begin());
  afterAll(() => commands.end());
  beforeEach(() => {
    const { engine } = commands.site;
    engine.asked.length = 0;
    engine.refusal = undefined;
    engine.applyOperations = [fakeOperation()];
  });
  return commands;
}
