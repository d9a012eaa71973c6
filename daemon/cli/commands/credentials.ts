import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { z } from 'zod';
import { authorityHash, isAuthorityOf } from '../../api/offline.ts';
import { credentialSchema } from '../../api/types.ts';
import type { Client } from '../client.ts';
import { CommandFailure, exitCode } from '../exit.ts';
import { printData } from '../table.ts';
import type { Session } from './session.ts';

/** A certificate with less than this left is not handed out any more, milliseconds. */
const renewBefore = 5 * 60_000;
const launcher = resolve(import.meta.dirname, '..', '..', '..', 'remuda');

const heldSchema = credentialSchema.extend({ key: z.string() });
type Held = z.infer<typeof heldSchema>;

/** API of exec plugins: `v1` is known to kubectl from 1.22 on, `v1beta1` to 1.23 (Kubernetes' deprecation guide). */
const execApis = ['v1beta1', 'v1'] as const;
type ExecApi = (typeof execApis)[number];

/** kubeconfig, credential. */
export function addCredentialCommands(program: Command, session: Session): void {
  program
    .command('kubeconfig <cluster>')
    .description('print a kubeconfig that fetches short certificates by itself')
    .addOption(
      new Option('--exec-api <version>', 'API of exec plugins, by the age of kubectl').choices(execApis),
    )
    .action((cluster: string, options: { readonly execApi?: ExecApi }) =>
      printKubeconfig(session, cluster, options.execApi),
    );
  program
    .command('credential', { hidden: true })
    .description('the exec plugin that kubeconfig names')
    .requiredOption('--cluster <name>')
    .option('--authority <hash>', 'of the cluster that is meant: another may have its name by now')
    .addOption(new Option('--exec-api <version>').choices(execApis).default('v1'))
    .action((options: CredentialOptions) => printCredential(session, options));
}

async function printKubeconfig(session: Session, cluster: string, asked: ExecApi | undefined): Promise<void> {
  const client = await session.client();
  // Never one kept from before: the cluster may have been made anew under its name.
  const held = await newCredential(session, client, cluster);
  const execApi = asked ?? execApiFor(held.kubernetesVersion);
  const name = `remuda-${cluster}`;
  printData(session.printer, 'yaml', {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: cluster,
        cluster: {
          server: held.server,
          'certificate-authority-data': Buffer.from(held.caCertificate).toString('base64'),
        },
      },
    ],
    users: [
      {
        name,
        user: {
          exec: {
            apiVersion: `client.authentication.k8s.io/${execApi}`,
            command: launcher,
            args: [
              'credential',
              '--cluster',
              cluster,
              '--authority',
              authorityHash(held.caCertificate),
              '--exec-api',
              execApi,
            ],
            env: [{ name: 'REMUDA_SERVER', value: client.server }],
            interactiveMode: 'Never',
          },
        },
      },
    ],
    contexts: [{ name: cluster, context: { cluster, user: name } }],
    'current-context': cluster,
  });
  if (session.environment['REMUDA_TOKEN'] !== undefined)
    session.printer.note('kubectl must see REMUDA_TOKEN too; `remuda login` keeps it instead.');
}

interface CredentialOptions {
  readonly cluster: string;
  /** Absent in kubeconfigs of earlier releases. */
  readonly authority?: string;
  readonly execApi: ExecApi;
}

async function printCredential(session: Session, options: CredentialOptions): Promise<void> {
  const { cluster, authority, execApi } = options;
  const held = await credentialFor(session, await session.client(), cluster, authority);
  if (authority !== undefined && !isAuthorityOf(held.caCertificate, authority))
    throw new CommandFailure(exitCode.failed, [
      {
        kind: 'user',
        code: 'CLI-048',
        summary: `cluster ${cluster} was made anew since this kubeconfig was written`,
        remedy: `Get another: remuda kubeconfig ${cluster} > kubeconfig`,
      },
    ]);
  printData(session.printer, 'json', {
    apiVersion: `client.authentication.k8s.io/${execApi}`,
    kind: 'ExecCredential',
    status: {
      expirationTimestamp: held.notAfter,
      clientCertificateData: held.certificate,
      clientKeyData: held.key,
    },
  });
}

/** The certificate kept from before while it is good, else a new one for a key made here. */
async function credentialFor(
  session: Session,
  client: Client,
  cluster: string,
  authority: string | undefined,
): Promise<Held> {
  const kept = readHeld(cacheFile(session.environment, client, cluster));
  const isGood = kept !== undefined && Date.parse(kept.notAfter) - Date.now() > renewBefore;
  const isMeant = authority === undefined || (kept && isAuthorityOf(kept.caCertificate, authority));
  return isGood && isMeant === true ? kept : newCredential(session, client, cluster);
}

async function newCredential(session: Session, client: Client, cluster: string): Promise<Held> {
  const path = cacheFile(session.environment, client, cluster);
  const { createRequest } = await import('../certificate-request.ts');
  const { key, request } = await createRequest();
  const credential = await client.call({
    method: 'POST',
    path: `/api/v1/clusters/${encodeURIComponent(cluster)}/credentials`,
    body: { request },
    answer: credentialSchema,
  });
  const held = { ...credential, key };
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${process.pid}.new`;
  writeFileSync(temporary, JSON.stringify(held), { mode: 0o600 });
  renameSync(temporary, path);
  return held;
}

function readHeld(path: string): Held | undefined {
  try {
    return heldSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return undefined; // missing or of another release: a new one is made
  }
}

/** One file a server, person and cluster, so that another login never uses this one's certificate. */
function cacheFile(environment: NodeJS.ProcessEnv, client: Client, cluster: string): string {
  const base = environment['XDG_CACHE_HOME'] ?? join(environment['HOME'] ?? homedir(), '.cache');
  const who = createHash('sha256')
    .update(`${client.server} ${client.connection.secret}`)
    .digest('hex')
    .slice(0, 16);
  return join(base, 'remuda', 'credentials', who, `${cluster.replaceAll(/[^a-z0-9-]/g, '_')}.json`);
}

/** By the cluster's own minor: its users' kubectl is of about the same age. */
function execApiFor(version: string): ExecApi {
  const minor = Number(/^v?1\.(\d+)/.exec(version)?.[1] ?? '99');
  return minor <= 21 ? 'v1beta1' : 'v1';
}
