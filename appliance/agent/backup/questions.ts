import type { AgentOutgoing } from '../protocol/outgoing.ts';
import { questionWork } from '../questions.ts';
import type { PortsFactory } from '../work.ts';

/** What answering needs. */
export interface BackupQuestionParts {
  readonly ports: PortsFactory;
  readonly epoch: number;
}

/** What is asked about backups outside of any operation. A removal may be repeated, so that a lost answer is asked again. */
export function createBackupQuestions(
  parts: BackupQuestionParts,
): Pick<AgentOutgoing, 'backup.list' | 'backup.remove'> {
  return {
    async 'backup.remove'({ context, destination, id }) {
      const { backup } = parts.ports(questionWork(parts, context));
      await backup.remove({ cluster: context.cluster, destination }, id);
      return { isGone: true };
    },
    'backup.list': ({ context, destination }) =>
      parts.ports(questionWork(parts, context)).backup.list({ cluster: context.cluster, destination }),
  };
}
