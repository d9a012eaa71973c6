import type { AgentQuestions } from '../../appliance/agent/protocol/questions.ts';
import type { State } from '../state/state.ts';
import type { AgentLink } from './link.ts';
import { problems } from './problems.ts';
import { Refusal } from './requests.ts';

/** Asks a site's agent. @throws Refusal when it is away, or with the agent's own problem */
export type Asking = <Name extends keyof AgentQuestions>(
  site: string,
  name: Name,
  request: Parameters<AgentQuestions[Name]>[0],
) => Promise<Awaited<ReturnType<AgentQuestions[Name]>>>;

/** @throws Refusal of reason `unavailable` when the site's agent is away, or was never enrolled */
export function requireAgent(state: State, link: AgentLink, site: string): void {
  if (link.isConnected) return;
  const isEnrolled = state.agents.get(site)?.recipient !== undefined;
  throw new Refusal('unavailable', [problems.cannotAsk(site, isEnrolled)]);
}
