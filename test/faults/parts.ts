import { z } from 'zod';
import type { AgentChecks, AgentDrift, AgentQuestions } from '../../appliance/agent/protocol/questions.ts';
import type { AgentOutgoing } from '../../appliance/agent/protocol/outgoing.ts';
import type { ClusterContext, Sealed } from '../../appliance/agent/protocol/dispatch.ts';
import {
  type ClusterKeys,
  clusterKeysSchema,
  type ClusterPublicKeys,
  trustedCertificates,
} from '../../provisioners/contract/secrets.ts';
import type { Instant } from '../../provisioners/contract/time.ts';
import { openAuthority } from '../../appliance/agent/authority/authority.ts';
import { drawAuthorities } from '../../appliance/agent/pki.ts';
import { createHandOverQuestions } from '../../appliance/agent/hand-over.ts';
import { createInspectQuestions } from '../../appliance/agent/inspection.ts';
import { createRotationQuestions } from '../../appliance/agent/key-rotation.ts';
import { lookOnce } from '../../appliance/agent/checking.ts';
import { lookForDrift } from '../../appliance/agent/drift.ts';
import { Looking } from '../../appliance/agent/observe.ts';
import { steps as shipped } from '../../provisioners/kubernetes/steps.ts';
import type { Clock } from '../../appliance/agent/clock.ts';
import { payloadVersions } from '../fleet/model/machine-work-calls.ts';
import { fakeAuthorities, fakeClusterKeys } from '../fleet/ports/ports.ts';
import type { Work } from '../../appliance/agent/work.ts';
import type { Ports } from '../../provisioners/contract/ports.ts';

type DrawRequest = Parameters<AgentQuestions['drawKeys']>[0];
type DrawnKeys = Awaited<ReturnType<AgentQuestions['drawKeys']>>;

/** Seals nothing: text with a mark, so that a test sees what was to be sealed. A fake, for simulations only. */
export const fakeSeal = async (plaintext: string): Promise<Sealed> =>
  `fake-sealed:${Buffer.from(plaintext).toString('base64')}`;

/** The public half of the fake keys. */
const fakePublicKeys = (): ClusterPublicKeys => ({
  caHash: 'sha256:fa4e'.padEnd(71, '0'),
  caCertificate: fakeClusterKeys().kubernetes.certificate,
  sshPublicKey: fakeClusterKeys().sshPublicKey,
});

/** What only the agent may do, as far as the simulation does it. */
export type FleetOutgoing = Pick<
  AgentOutgoing,
  | 'backup.list'
  | 'backup.remove'
  | 'cluster.hand-over'
  | 'cluster.inspect'
  | 'cluster.rotate-keys'
  | 'provider.clusters'
>;

const fakeSealTo = (_recipients: readonly string[], plaintext: string): Promise<Sealed> =>
  fakeSeal(plaintext);

/** What {@link fakeSeal} holds. */
export const fakeOpen = (sealed: Sealed): string =>
  Buffer.from(sealed.slice('fake-sealed:'.length), 'base64').toString();

/** The keys that came with the work: the fake ones, or those that somebody's authority has signed. */
export const keysIn = ({ keys }: Pick<ClusterContext, 'keys'>): ClusterKeys | undefined =>
  keys === undefined ? undefined : clusterKeysSchema.parse(JSON.parse(fakeOpen(keys)));

const valuesSchema = z.record(z.string(), z.string());

/** Ports whose secrets are those that came with the work, as the fake sealed them. */
const withGiven = (ports: Ports, { secrets: sealed }: ClusterContext): Ports => ({
  ...ports,
  secrets: {
    ...ports.secrets,
    value: async (name, key) => valuesSchema.parse(JSON.parse(fakeOpen(sealed[name] ?? '')))[key] ?? '',
  },
});

/** Real authorities below the one that is asked for; in the simulation only one that is given can be. */
async function drawSigned(ports: Ports, { cluster, authority }: DrawRequest): Promise<DrawnKeys> {
  if (authority === undefined) throw new Error('the fake keys are signed by nobody');
  const { context, source } = authority;
  const { secrets } = withGiven(ports, context);
  const ground = { secrets, reach: { isLoopbackAllowed: false }, signal: new AbortController().signal };
  const signer = await openAuthority(source, { ...ground, now: new Date().toISOString() });
  const authorities = await drawAuthorities(cluster.name, signer);
  const keys = { ...fakeClusterKeys(), ...authorities };
  const shown = { ...fakePublicKeys(), caCertificate: authorities.kubernetes.certificate };
  return { sealed: await fakeSeal(JSON.stringify(keys)), public: shown };
}

const fakeMint = async () => ({
  certificate: 'model admin',
  key: 'model admin key',
  notAfter: '2027-11-21T00:00:00.000Z',
});

/** Model certificates are no certificates. */
const fakePublicHalf = ({ kubernetes, sshPublicKey }: ClusterKeys, since: Instant): ClusterPublicKeys => ({
  caHash: fakePublicKeys().caHash,
  caCertificate: trustedCertificates(kubernetes),
  sshPublicKey,
  ...(kubernetes.incoming === undefined ? {} : { rotation: { stage: 'trust', since } }),
  ...(kubernetes.outgoing === undefined ? {} : { rotation: { stage: 'reissue', since } }),
});

/** The steps that a real agent ships, by kind. */
const kinds = new Map(shipped.map((step) => [step.kind, step]));

/** The agent's answers in the simulation. Keys are fakes; looking is the agent's own, through the fleet's ports. */
export function fleetQuestions(
  portsFor: (keys?: ClusterKeys) => Ports,
  clock: Clock,
): AgentQuestions & AgentChecks & AgentDrift & FleetOutgoing {
  const epoch = 1;
  const ports = ({ context }: Pick<Work, 'context'>): Ports => portsFor(keysIn(context));
  const reach = { isLoopbackAllowed: false };
  return {
    ...createHandOverQuestions({ ports, epoch, seal: fakeSealTo, mint: fakeMint }),
    ...createInspectQuestions({
      ports,
      epoch,
      recipient: 'age1fake',
      seal: fakeSealTo,
      publicHalf: (keys) => fakePublicHalf(keys, clock.now()),
    }),
    ...createRotationQuestions({
      ports: (work) => withGiven(ports(work), work.context),
      epoch,
      reach,
      // Of whom real certificates are asked, whose time is not the model's.
      now: () => new Date().toISOString(),
      seal: fakeSealTo,
      // Somebody else's authority signs real certificates.
      draw: async (name, signer) =>
        signer === undefined ? fakeAuthorities(clock.now()) : drawAuthorities(name, signer),
      publicHalf: (keys) => fakePublicHalf(keys, clock.now()),
    }),
    'backup.remove': async ({ context: { cluster }, destination, id }) => {
      await portsFor().backup.remove({ cluster, destination }, id);
      return { isGone: true };
    },
    'backup.list': ({ context: { cluster }, destination }) =>
      portsFor().backup.list({ cluster, destination }),
    observe: (request) => new Looking(portsFor(keysIn(request.context)), clock, request).observe(),
    drawKeys: async (request) =>
      request.authority === undefined
        ? { sealed: await fakeSeal(JSON.stringify(fakeClusterKeys())), public: fakePublicKeys() }
        : drawSigned(portsFor(), request),
    issueCredential: () => Promise.reject(new Error('the simulation issues no credentials')),
    listPayloads: async () =>
      payloadVersions.map((version) => ({
        name: `model-${version}`,
        kubernetesVersion: `v${version}`,
        flavour: 'lab',
        bytes: 1,
        digest: '',
        provenance: 'model',
      })),
    ledger: async ({ context }) => {
      const entries = await portsFor().provider.ledger(context.cluster);
      return {
        gone: [],
        kept: [],
        left: entries.map((entry) => Object.assign({ why: 'still there' }, entry)),
      };
    },
    preflight: ({ context, steps }) => {
      const { cluster } = context;
      const ground = {
        steps: kinds,
        ports: portsFor(),
        cluster,
        clock,
        signal: new AbortController().signal,
      };
      return Promise.all(steps.map((step) => lookOnce(ground, step)));
    },
    drift: ({ context, steps }) => {
      const { cluster } = context;
      const { signal } = new AbortController();
      return lookForDrift({ steps: kinds, ports: portsFor(keysIn(context)), cluster, clock, signal }, steps);
    },
    machines: ({ context }) => portsFor().provider.machines.list(context.cluster),
  };
}
