import type { ClusterKeys } from '../../provisioners/contract/secrets.ts';
import type { Provider, ProviderConfig, ProviderType } from '../../provisioners/contract/provider.ts';
import type { Ports, SecretsPort } from '../../provisioners/contract/ports.ts';
import { Blocked } from '../../provisioners/contract/problem.ts';
import { createBackupPort } from './adapters/backup.ts';
import { EtcdAdapter } from './adapters/etcd.ts';
import { createEtcdDataPort } from './adapters/etcd-data.ts';
import { createFilePort } from './adapters/file.ts';
import { createHookPort } from './adapters/hooks.ts';
import { createHostPort } from './adapters/host.ts';
import { createKubeadmPort } from './adapters/kubeadm.ts';
import { createKubernetesPort } from './adapters/kubernetes.ts';
import { PayloadAdapter } from './adapters/payload.ts';
import { createSecretsPort } from './adapters/secrets.ts';
import { createServicePort } from './adapters/service.ts';
import { ClientCertificates } from './client-certificates.ts';
import { Machines } from './machines.ts';
import type { Reach } from './outgoing/address.ts';
import type { PayloadSupply } from './payload-supply.ts';
import type { ClusterContext } from './protocol/dispatch.ts';
import { MachinePool } from './ssh/pool.ts';
import { Units } from './units.ts';
import type { PortsFactory, Work } from './work.ts';

/** Makes a provider from its document; secrets are opened only when it asks. */
export type ProviderFactory = (config: ProviderConfig, secrets: SecretsPort) => Provider;

/** What the real ports are made of. */
export interface PortsOptions {
  readonly providers: ReadonlyMap<ProviderType, ProviderFactory>;
  /** Text of the agent's age identity (`AGE-SECRET-KEY-1…`), to open what was sealed to it. */
  readonly identity: string;
  readonly supply: PayloadSupply;
  /** The agent's own folder, on the state disk. */
  readonly stateFolder: string;
  /** What may be reached at addresses that users give. Default: nothing on loopback. */
  readonly reach?: Reach;
  /** Default: a pool of its own. */
  readonly pool?: MachinePool;
}

/** Ports over SSH, TLS and systemd, with what they hold open. */
export interface RealPorts {
  readonly ports: PortsFactory;
  /** Closes connections and servers. Units on machines go on. */
  stop(): Promise<void>;
}

/** The real ports. One call an agent; the factory is called once an attempt or question. */
export function createPorts(options: PortsOptions): RealPorts {
  const pool = options.pool ?? new MachinePool();
  return {
    ports: (work) => portsFor(options, pool, work),
    stop: async () => {
      await Promise.all([pool.stop(), options.supply.stop()]);
    },
  };
}

function portsFor(options: PortsOptions, pool: MachinePool, work: Work): Ports {
  const secrets = createSecretsPort(work.context, options.identity, (secret) => work.hide(secret));
  const keys = (): Promise<ClusterKeys> => secrets.clusterKeys();
  const signal = (): AbortSignal => work.signal;
  const machines = new Machines({
    pool,
    privateKey: async () => (await keys()).sshPrivateKey,
    epoch: work.epoch,
    signal,
  });
  const certificates = new ClientCertificates(keys);
  const units = new Units(machines, work);
  const file = createFilePort(machines);
  const host = createHostPort(machines, certificates);
  return {
    host,
    file,
    service: createServicePort(machines),
    payload: new PayloadAdapter({ machines, units, file, supply: options.supply, work }),
    kubeadm: createKubeadmPort(units),
    etcd: new EtcdAdapter(machines, certificates, signal, work.connections),
    etcdData: createEtcdDataPort({ machines, units, components: host.components }),
    kubernetes: createKubernetesPort(machines, certificates, signal, work.connections),
    provider: providerFor(options.providers, work.context, secrets),
    secrets,
    backup: createBackupPort({
      work,
      secrets,
      identity: options.identity,
      stateFolder: options.stateFolder,
      reach: options.reach ?? { isLoopbackAllowed: false },
    }),
    hooks: createHookPort({ units, reach: options.reach ?? { isLoopbackAllowed: false }, signal }),
  };
}

/** @throws Blocked PROVIDER-101 when this agent ships no such provider. */
function providerFor(
  providers: PortsOptions['providers'],
  { provider }: ClusterContext,
  secrets: SecretsPort,
): Provider {
  const make = providers.get(provider.type);
  if (make === undefined)
    throw new Blocked('PROVIDER-101', `This agent cannot work with providers of type ${provider.type}.`, {
      remedy: `Update the agent, or use one of: ${[...providers.keys()].join(', ')}.`,
    });
  return make(provider, secrets);
}
