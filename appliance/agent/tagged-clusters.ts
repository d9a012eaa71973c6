import { Blocked } from '../../provisioners/contract/problem.ts';
import type { AgentOutgoing } from './protocol/outgoing.ts';
import { questionWork } from './questions.ts';
import type { PortsFactory } from './work.ts';

/** What answering needs. */
export interface TaggedClustersParts {
  readonly ports: PortsFactory;
  readonly epoch: number;
}

/** Whose things a provider holds, by their tags: also of clusters that nobody remembers. Only reads. */
export function createTaggedClustersQuestions(
  parts: TaggedClustersParts,
): Pick<AgentOutgoing, 'provider.clusters'> {
  return {
    async 'provider.clusters'({ context }) {
      const { provider } = parts.ports(questionWork(parts, context));
      const clusters = await provider.ownership?.clusters?.();
      if (clusters !== undefined) return clusters;
      throw new Blocked(
        'SWEEP-004',
        `provider ${context.provider.name} (${provider.type}) cannot tell whose things it holds`,
        { remedy: 'Look at it yourself: everything that Remuda makes there bears the name of its cluster.' },
      );
    },
  };
}
