import { seal } from '../../../appliance/agent/sealing.ts';
import { createBackupPort } from '../../../appliance/agent/adapters/backup.ts';
import { createSecretsPort } from '../../../appliance/agent/adapters/secrets.ts';
import type { ClusterContext } from '../../../appliance/agent/protocol/dispatch.ts';
import { Redactor } from '../../../appliance/agent/redaction.ts';
import type { Work } from '../../../appliance/agent/work.ts';
import { recipientOf } from '../../../appliance/agent/sealing.ts';
import type { BackupPort } from '../../../provisioners/contract/ports/backup.ts';

/** What a real backup port of a test is made of. */
export interface PortOptions {
  /** The agent's identity. */
  readonly identity: string;
  readonly stateFolder: string;
  /** Users' secrets by name. */
  readonly secrets?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Sealed keys of the cluster. */
  readonly keys?: string;
  readonly signal?: AbortSignal;
  /** Takes every line of the log, as it leaves the agent. */
  readonly log?: (text: string) => void;
}

/** The backup port as the agent makes it, with secrets that came sealed and a log that is redacted. */
export async function realPort(options: PortOptions): Promise<BackupPort> {
  const { identity, stateFolder, signal = new AbortController().signal } = options;
  const recipient = await recipientOf(identity);
  const sealed = Object.entries(options.secrets ?? {}).map(
    async ([name, data]) => [name, await seal([recipient], JSON.stringify(data))] as const,
  );
  const context: ClusterContext = {
    cluster: { uid: 'c0ffee-1', name: 'c' },
    provider: { type: 'lab', name: 'lab', config: {} },
    keys: options.keys ?? (await seal([recipient], '{"canary":"keys"}')),
    secrets: Object.fromEntries(await Promise.all(sealed)),
  };
  const redactor = new Redactor();
  const work: Work = {
    key: { operation: 'operation-1', step: 'snapshot', attempt: 1 },
    epoch: 1,
    context,
    signal,
    log: (text) => options.log?.(redactor.clean(text)),
    hide: (secret) => redactor.hide(secret),
    output: () => {},
    outputOffset: () => 0,
  };
  return createBackupPort({
    work,
    secrets: createSecretsPort(context, identity, (secret) => work.hide(secret)),
    identity,
    stateFolder,
    reach: { isLoopbackAllowed: true },
  });
}
