import type { AgentQuestions, Sealed } from '../../appliance/agent/protocol.ts';
import type { ClusterPublicKeys } from '../../provisioners/contract/secrets.ts';
import type { Instant } from '../../provisioners/contract/time.ts';
import { observeThroughPorts } from '../fleet/observation.ts';
import { fakeClusterKeys } from '../fleet/ports/ports.ts';
import type { Ports } from '../../provisioners/contract/ports.ts';

/** Seals nothing: text with a mark, so that a test sees what was to be sealed. A fake, for simulations only. */
export const fakeSeal = async (plaintext: string): Promise<Sealed> =>
  `fake-sealed:${Buffer.from(plaintext).toString('base64')}`;

/** The public half of the fake keys. */
const fakePublicKeys = (): ClusterPublicKeys => ({
  caHash: 'sha256:fa4e'.padEnd(71, '0'),
  caCertificate: fakeClusterKeys().kubernetes.certificate,
  sshPublicKey: fakeClusterKeys().sshPublicKey,
});

/** The agent's answers in the simulation. Keys are fakes; looking is done through the fleet's ports. */
export function fleetQuestions(portsFor: () => Ports, now: () => Instant): AgentQuestions {
  return {
    observe: (request) => observeThroughPorts(portsFor(), request, now()),
    drawKeys: async () => ({
      sealed: await fakeSeal(JSON.stringify(fakeClusterKeys())),
      public: fakePublicKeys(),
    }),
    issueCredential: () => Promise.reject(new Error('the simulation issues no credentials')),
    listPayloads: async () => [],
    ledger: async ({ context }) => ({
      gone: [],
      kept: [],
      left: (await portsFor().provider.ledger(context.cluster)).map((entry) => ({
        ...entry,
        why: 'still there',
      })),
    }),
    machines: ({ context }) => portsFor().provider.machines.list(context.cluster),
  };
}
