import type { Provider, ProviderConfig, ProviderType } from '../../provisioners/contract/provider.ts';
import type { SecretsPort } from '../../provisioners/contract/ports.ts';
import type { PortsFactory } from './work.ts';

/** Makes a provider from its document; secrets are opened only when it asks. */
export type ProviderFactory = (config: ProviderConfig, secrets: SecretsPort) => Provider;

/** What the real ports are made of. */
export interface PortsOptions {
  readonly providers: ReadonlyMap<ProviderType, ProviderFactory>;
  /** Text of the agent's age identity (`AGE-SECRET-KEY-1…`), to open what was sealed to it. */
  readonly identity: string;
  /** Folder of the payload cache. */
  readonly payloadFolder: string;
}

/** The real ports over SSH, TLS and systemd. One call an agent; the factory is called once an attempt. */
export function createPorts(_options: PortsOptions): { readonly ports: PortsFactory; stop(): Promise<void> } {
  throw new Error('being written');
}
