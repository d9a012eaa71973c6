import type { AuthoritySource } from '../../provisioners/contract/authority.ts';
import type { LedgerEntry, Provider } from '../../provisioners/contract/provider.ts';
import type { Ports } from '../../provisioners/contract/ports.ts';
import type { AnyStep } from '../../provisioners/contract/step.ts';
import { openAuthority } from './authority/authority.ts';
import type { AuthoritySigner } from './authority/signer.ts';
import { lookOnce } from './checking.ts';
import type { Clock } from './clock.ts';
import { lookForDrift } from './drift.ts';
import { Looking } from './observe.ts';
import type { PayloadSupply } from './payload-supply.ts';
import type { Reach } from './outgoing/address.ts';
import { drawClusterKeys, publicHalf, signCredential } from './pki.ts';
import type { AgentChecks, AgentDrift, AgentQuestions } from './protocol/questions.ts';
import type { ClusterContext } from './protocol/dispatch.ts';
import { seal } from './sealing.ts';
import type { PortsFactory, Work } from './work.ts';

/** What answers are made of. */
export interface QuestionsOptions {
  readonly ports: PortsFactory;
  /** The kinds this agent ships. */
  readonly steps: ReadonlyMap<string, AnyStep>;
  readonly supply: Pick<PayloadSupply, 'list'>;
  readonly clock: Clock;
  readonly epoch: number;
  /** What may be reached at addresses that users give. Default: nothing on loopback. */
  readonly reach?: Reach;
}

/** Longest time an answer may take, milliseconds: a little less than the daemon waits. */
const patience = 110_000;

/** The questions that only read or draw. */
export function createQuestions(options: QuestionsOptions): AgentQuestions & AgentChecks & AgentDrift {
  const portsOf = (context: ClusterContext): Ports => portsForQuestion(options, context);
  return {
    observe: (request) => new Looking(portsOf(request.context), options.clock, request).observe(),
    async drawKeys({ cluster, recipients, authority }) {
      const signer = authority && (await signerOf(options, authority));
      const keys = await drawClusterKeys(cluster.name, signer);
      return { sealed: await seal(recipients, JSON.stringify(keys)), public: publicHalf(keys) };
    },
    async issueCredential({ context, ...wish }) {
      return signCredential(await portsOf(context).secrets.clusterKeys(), wish);
    },
    listPayloads: () => options.supply.list(),
    async ledger({ context }) {
      const entries = await providerOf(portsOf(context)).ledger(context.cluster);
      const kept = entries.flatMap(({ policy, ...entry }) =>
        policy === undefined ? [] : [{ ...entry, policy }],
      );
      const isKept = ({ policy }: LedgerEntry): boolean => policy !== undefined;
      const left = entries
        .filter((entry) => !isKept(entry))
        .map((entry) => Object.assign({ why: 'it is there' }, entry));
      return { gone: [], kept, left };
    },
    preflight({ context, steps }) {
      const work = questionWork(options, context);
      const ground = {
        ...options,
        ports: options.ports(work),
        cluster: context.cluster,
        signal: work.signal,
      };
      return Promise.all(steps.map((step) => lookOnce(ground, step)));
    },
    drift({ context, steps }) {
      const work = questionWork(options, context);
      const ports = options.ports(work);
      return lookForDrift({ ...options, ports, cluster: context.cluster, signal: work.signal }, steps);
    },
    machines: ({ context }) => providerOf(portsOf(context)).machines.list(context.cluster),
  };
}

/** Whoever signs for a cluster that is to be made. */
function signerOf(
  options: QuestionsOptions,
  { source, context }: { readonly source: AuthoritySource; readonly context: ClusterContext },
): Promise<AuthoritySigner> {
  const { signal } = questionWork(options, context);
  const { secrets } = portsForQuestion(options, context);
  const reach = options.reach ?? { isLoopbackAllowed: false };
  return openAuthority(source, { secrets, reach, signal, now: options.clock.now() });
}

const providerOf = (ports: Ports): Provider => ports.provider;

const portsForQuestion = (options: QuestionsOptions, context: ClusterContext): Ports =>
  options.ports(questionWork(options, context));

/** A question is no attempt: it logs nothing, leaves nothing, and ends by itself. */
export function questionWork({ epoch }: { readonly epoch: number }, context: ClusterContext): Work {
  return {
    key: { operation: 'question', step: 'question', attempt: 1 },
    epoch,
    context,
    signal: AbortSignal.timeout(patience),
    log: () => {},
    hide: () => {},
    output: () => {},
    outputOffset: () => 0,
  };
}
