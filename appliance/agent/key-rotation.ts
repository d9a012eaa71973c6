import type { Authority, ClusterKeys, RotationStage } from '../../provisioners/contract/secrets.ts';
import type { Instant } from '../../provisioners/contract/time.ts';
import { openAuthority } from './authority/authority.ts';
import type { AuthoritySigner } from './authority/signer.ts';
import type { Reach } from './outgoing/address.ts';
import { drawAuthorities, publicHalf } from './pki.ts';
import type { AgentOutgoing } from './protocol/outgoing.ts';
import { questionWork } from './questions.ts';
import { seal } from './sealing.ts';
import type { PortsFactory } from './work.ts';

const names = ['kubernetes', 'etcd', 'frontProxy'] as const;

/** Authorities in one state each: all three are rotated together. */
type Three = Readonly<Record<(typeof names)[number], Authority>>;

const changed = (
  keys: ClusterKeys,
  change: (authority: Authority, name: keyof Three) => Authority,
): ClusterKeys => ({
  ...keys,
  kubernetes: change(keys.kubernetes, 'kubernetes'),
  etcd: change(keys.etcd, 'etcd'),
  frontProxy: change(keys.frontProxy, 'frontProxy'),
});

/** The next one signs; of the one before only what is to be believed is kept. */
function switched({ incoming, ...before }: Authority): Authority {
  if (incoming === undefined) return before;
  const { certificate, chain } = before;
  return { ...incoming, outgoing: { certificate, ...(chain === undefined ? {} : { chain }) } };
}

function alone({ outgoing: _forgotten, ...authority }: Authority): Authority {
  return authority;
}

/** Draws the three authorities of a cluster. @throws Problem PKI-… or OUTGOING-… of whoever signs */
type Draw = (cluster: string, signer?: AuthoritySigner) => Promise<Three>;

/**
 * Brings the keys of a cluster to a stage of their rotation. Nothing is drawn or switched twice: keys that are there already
 * come back as they are, so that a stage may be begun again.
 */
export async function rotateKeys(
  keys: ClusterKeys,
  stage: RotationStage,
  draw: () => Promise<Three>,
): Promise<ClusterKeys> {
  if (stage === 'drop') return changed(keys, alone);
  if (stage === 'reissue') return changed(keys, switched);
  if (names.every((name) => keys[name].incoming !== undefined)) return keys;
  const drawn = await draw();
  return changed(keys, (authority, name) => ({ ...authority, incoming: authority.incoming ?? drawn[name] }));
}

/** What answering needs. */
export interface RotationParts {
  readonly ports: PortsFactory;
  readonly epoch: number;
  readonly now: () => Instant;
  /** What may be reached at addresses that users give. */
  readonly reach: Reach;
  /** Defaults: age, and real authorities. A simulation seals nothing, and its certificates are none. */
  readonly seal?: typeof seal;
  readonly draw?: Draw;
  readonly publicHalf?: typeof publicHalf;
}

/** The keys of a cluster at another stage, sealed as they were. Nothing of it is kept or logged. */
export function createRotationQuestions(parts: RotationParts): Pick<AgentOutgoing, 'cluster.rotate-keys'> {
  const { ports, draw = drawAuthorities } = parts;
  return {
    async 'cluster.rotate-keys'({ context, stage, recipients, authority }) {
      const before = await ports(questionWork(parts, context)).secrets.clusterKeys();
      const keys = await rotateKeys(before, stage, async () => {
        if (authority === undefined) return draw(context.cluster.name);
        const work = questionWork(parts, authority.context);
        const { secrets } = ports(work);
        const ground = { secrets, reach: parts.reach, signal: work.signal, now: parts.now() };
        return draw(context.cluster.name, await openAuthority(authority.source, ground));
      });
      const sealed = await (parts.seal ?? seal)(recipients, JSON.stringify(keys));
      return { sealed, public: (parts.publicHalf ?? publicHalf)(keys) };
    },
  };
}
