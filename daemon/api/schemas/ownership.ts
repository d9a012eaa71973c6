import { z } from 'zod';

const planHash = z.string().max(200).exactOptional().describe('Run exactly this plan or refuse.');
const confirm = z.string().max(63).exactOptional().describe("The cluster's name.");

/** Who gets a cluster's keys. */
export const handOverRequestSchema = z
  .strictObject({
    recipient: z
      .string()
      .regex(/^age1[0-9a-z]{20,2000}$/, 'is no age recipient: they begin with age1')
      .describe('age recipient: only who holds its key can open what is handed over.'),
  })
  .meta({ id: 'HandOverRequest' });

/** What whoever keeps a cluster from now on needs. */
export const handOverSchema = z
  .object({
    cluster: z.string(),
    at: z.string(),
    recipient: z.string(),
    sealed: z
      .string()
      .describe('age, text armour: keys, kubeconfig and the receipt with which ejecting begins.'),
    kubeconfigEnds: z.string().describe('When the certificate in the sealed kubeconfig ends.'),
    answerFile: z.string(),
    machines: z.array(
      z.object({
        name: z.string(),
        address: z.string(),
        port: z.int(),
        user: z.string(),
        hostKeys: z.array(z.string()),
      }),
    ),
    masters: z.array(z.string()),
    etcd: z
      .array(z.string())
      .exactOptional()
      .describe('Machines of etcd, where it stands apart from the masters; absent where each has a member.'),
    certificates: z.array(z.object({ machine: z.string(), name: z.string(), notAfter: z.string() })),
    endpoint: z.object({ host: z.string(), port: z.int() }),
    kubernetesVersion: z.string().exactOptional(),
  })
  .meta({ id: 'HandOver' });
export type HandOver = z.infer<typeof handOverSchema>;

/** What the sealed text of a hand-over holds. Read by the command alone. */
export const openedHandOverSchema = z.object({
  receipt: z.string(),
  kubeconfig: z.string(),
  keys: z.object({
    kubernetes: z.object({ certificate: z.string(), key: z.string() }),
    etcd: z.object({ certificate: z.string(), key: z.string() }),
    frontProxy: z.object({ certificate: z.string(), key: z.string() }),
    serviceAccount: z.object({ publicKey: z.string(), privateKey: z.string() }),
    encryptionKey: z.string(),
    sshPrivateKey: z.string(),
    sshPublicKey: z.string(),
  }),
});
export type OpenedHandOver = z.infer<typeof openedHandOverSchema>;

/** `eject`, and its plan. */
export const ejectRequestSchema = z
  .strictObject({
    receipt: z
      .string()
      .max(200)
      .exactOptional()
      .describe('From inside the opened hand-over; not needed for the plan.'),
    bypass: z.array(z.string()).max(0).default([]).describe('There is no check to bypass.'),
    planHash,
    confirm,
  })
  .meta({ id: 'EjectRequest' });

/** `cluster adopt`, and its plan. */
export const adoptRequestSchema = z
  .strictObject({
    text: z.string().max(2 * 1024 * 1024),
    file: z.string().max(1000).default('-').describe('Name for messages.'),
    master: z
      .strictObject({
        address: z.string().min(1).max(253),
        port: z.int().min(1).max(65535).default(22),
        user: z.string().min(1).max(32).default('root'),
      })
      .describe('A master that lives.'),
    privateKey: z
      .string()
      .max(16_384)
      .describe('OpenSSH private key that may log in on every machine; sealed on arrival.'),
    hostKey: z
      .string()
      .max(100)
      .exactOptional()
      .describe("Fingerprint of the master's SSH host key, `SHA256:…`."),
    knownHosts: z
      .string()
      .max(512 * 1024)
      .exactOptional()
      .describe(
        'A file of known hosts as OpenSSH writes it: each machine must show a key that stands there for it.',
      ),
    takesOver: z
      .boolean()
      .default(false)
      .describe('Another Remuda keeps the cluster, or kept it until its state was lost: lock it out.'),
    bypass: z.array(z.string()).max(0).default([]).describe('There is no check to bypass.'),
    planHash,
    confirm,
  })
  .meta({ id: 'AdoptRequest' });
export type AdoptRequest = z.infer<typeof adoptRequestSchema>;
