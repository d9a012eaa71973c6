import type { AgentQuestions } from '../../appliance/agent/protocol.ts';

/** Asks a site's agent. @throws Refusal when it is away, or with the agent's own problem */
export type Asking = <Name extends keyof AgentQuestions>(
  site: string,
  name: Name,
  request: Parameters<AgentQuestions[Name]>[0],
) => Promise<Awaited<ReturnType<AgentQuestions[Name]>>>;
