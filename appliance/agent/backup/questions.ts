import type { AgentOutgoing } from '../protocol/outgoing.ts';
import { questionWork } from '../questions.ts';
import type { PortsFactory } from '../work.ts';

/** What answering needs. */
export interface BackupQuestionParts {
  readonly ports: PortsFactory;
  readonly epoch: number;
}

/** Questions about backups, outside of any operation. Only reads: whoever wants to change something makes an operation. */
export function createBackupQuestions(parts: BackupQuestionParts): Pick<AgentOutgoing, 'backup.list'> {
  return {
    'backup.list': ({ context, destination }) =>
      parts.ports(questionWork(parts, context)).backup.list({ cluster: context.cluster, destination }),
  };
}
