import type { AgentQuestions } from '../../appliance/agent/protocol/questions.ts';
import type { OperationLogs } from '../state/logs.ts';
import type { EngineCounters } from './counters.ts';
import type { AgentLink } from './link.ts';
import { asRefusal } from './preparation.ts';
import { problems } from './problems.ts';
import type { Recorder } from './recorder.ts';
import { type ReportReader, ReportIntake } from './reports.ts';
import { Refusal } from './requests.ts';

/** Who is told what the sites' agents say. */
export interface SiteListener extends ReportReader {
  /** An agent of the site connected. */
  connected(site: string): void;
}

/** What listening to sites needs. */
export interface SitesParts {
  readonly links: (site: string) => AgentLink;
  readonly recorder: Recorder;
  readonly logs: OperationLogs;
  readonly counters: EngineCounters;
}

/** The links of all sites: each is listened to from its first use on. */
export class Sites {
  readonly #parts: SitesParts;
  readonly #heard = new Set<string>();
  #listener: SiteListener | undefined;

  constructor(parts: SitesParts) {
    this.#parts = parts;
  }

  /** From now on reports are taken and connections told of; before and after, agents keep what they have to say. */
  listen(listener: SiteListener): void {
    this.#listener = listener;
  }

  stop(): void {
    this.#listener = undefined;
  }

  link(site: string): AgentLink {
    const link = this.#parts.links(site);
    if (this.#heard.has(site)) return link;
    this.#heard.add(site);
    const reader: ReportReader = {
      find: (operation) => this.#listener?.find(operation),
      ended: (...end) => this.#listener?.ended(...end),
      locate: (run, problem) => this.#listener?.locate(run, problem) ?? problem,
    };
    const intake = new ReportIntake(site, link, { ...this.#parts, reader });
    link.onReports((reports) => {
      if (this.#listener !== undefined) intake.take(reports);
    });
    link.onConnected(() => this.#listener?.connected(site));
    return link;
  }

  /** Asks a site's agent. @throws Refusal when it is away, or with the agent's own problem */
  async ask<Name extends keyof AgentQuestions>(
    site: string,
    name: Name,
    request: Parameters<AgentQuestions[Name]>[0],
  ): Promise<Awaited<ReturnType<AgentQuestions[Name]>>> {
    const link = this.link(site);
    if (!link.isConnected) throw new Refusal('unavailable', [problems.noAgent(site)]);
    try {
      return await link.ask(name, request);
    } catch (error) {
      throw asRefusal(error);
    }
  }
}
