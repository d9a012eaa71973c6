import { join } from 'node:path';
import { AcceptedSequences } from '../provisioners/payload/acceptance.ts';
import { buildPayload } from '../provisioners/payload/build.ts';
import { isPresent, payloadCache } from '../provisioners/payload/cache.ts';
import { type CatalogueEntry, listPayloads, rememberVerified } from '../provisioners/payload/catalogue.ts';
import { LAB_VERSIONS } from '../provisioners/payload/compile.ts';
import { Problem } from '../provisioners/contract/problem.ts';
import { localTrust, type TrustedKey } from '../provisioners/payload/signature.ts';
import { fetchPayload } from '../provisioners/payload/fetch.ts';
import { fetchArguments } from '../provisioners/payload/fetch-arguments.ts';
import type { PayloadProgress } from '../provisioners/payload/progress.ts';
import { verifyPayload } from '../provisioners/payload/verify.ts';

const USAGE = `usage: scripts/payload build [VERSION…]   build lab payloads (${LAB_VERSIONS.join(', ')})
       scripts/payload fetch VERSION [options]   fetch an upstream release by reviewed digests
         --kubernetes URL, --github URL, --registry URL    mirrors, https only
         --also-host SOURCE=HOST    a host that kubernetes, github or registry may redirect to; may be repeated
         --authority FILE           PEM of the mirrors' own CA
         Without an option: $REMUDA_PAYLOAD_KUBERNETES, …_GITHUB, …_REGISTRY, …_ALSO_HOSTS (comma-separated),
         …_AUTHORITY; then upstream's public places.
       scripts/payload list                what the cache holds
       scripts/payload verify [FOLDER…]    check every byte (all payloads in the cache)
The cache is $REMUDA_CACHE, /var/cache/remuda without it; the agent's state $REMUDA_STATE, /var/lib/remuda.`;

const cache = payloadCache();
const size = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`;

const trustedKeys = (): Promise<readonly TrustedKey[]> => localTrust(cache.signingKey);

let spoken = '';
function say(progress: PayloadProgress): void {
  const share = progress.total > 0 ? ` ${Math.floor((progress.done / progress.total) * 10)}0 %` : '';
  const line = `${progress.what}${share}`;
  if (line === spoken) return;
  spoken = line;
  console.error(`${line} (about ${Math.round(progress.remaining / 1000)} s to go)`);
}

async function build(versions: readonly string[]): Promise<void> {
  for (const version of versions.length > 0 ? versions : LAB_VERSIONS) {
    const onWait = (): void => console.error('another build is running; waiting for it');
    const built = await buildPayload({ version, onProgress: say, onWait });
    console.log(`${built.isReused ? 'found' : 'built'} ${built.manifest.name} in ${built.folder}`);
  }
}

async function fetch(given: readonly string[]): Promise<void> {
  const { version, sources } = await fetchArguments(given, process.env);
  const onWait = (): void => console.error('another build or fetch is running; waiting for it');
  const fetched = await fetchPayload({ version, sources, onProgress: say, onWait });
  console.log(`${fetched.isReused ? 'found' : 'fetched'} ${fetched.manifest.name} in ${fetched.folder}`);
}

async function list(): Promise<void> {
  const { payloads, unreadable } = await listPayloads(cache, await trustedKeys());
  for (const { manifest, signer, size: bytes, verifiedAt, folder } of payloads) {
    const verified = verifiedAt === null ? 'never verified' : `verified ${verifiedAt}`;
    console.log(
      `${manifest.name}  ${size(bytes)}  signed by ${signer.owner}  ${verified}\n  ${folder}\n  ${manifest.provenance}`,
    );
    for (const file of manifest.files)
      console.log(`  ${file.install}  ${size(file.size)}  ${file.for}  (${file.origin})`);
    for (const image of manifest.images)
      console.log(`  ${image.reference}  ${size(image.size)}  ${image.for}  (${image.origin})`);
  }
  for (const { folder, problems } of unreadable)
    console.log(`${folder}\n  NOT A PAYLOAD: ${problems.join('; ')}`);
}

/** What the agent of this machine has accepted, so that a roll-back shows here as it would there. */
async function acceptedHere(): Promise<AcceptedSequences | undefined> {
  const file = join(process.env['REMUDA_STATE'] ?? '/var/lib/remuda', 'agent', 'accepted-payloads.json');
  if (await isPresent(file)) return new AcceptedSequences(file);
  console.error(`No agent's record of accepted payloads (${file}): a roll-back would not show here.`);
  return undefined;
}

/** Folder of a newer payload of the same name; the agent uses the newest of each name only. */
function newerThan(folder: string, payloads: readonly CatalogueEntry[]): string | undefined {
  const own = payloads.find((entry) => entry.folder === folder)?.manifest;
  const newest = payloads.find(({ manifest }) => manifest.name === own?.name);
  return newest?.folder === folder ? undefined : newest?.folder;
}

async function verify(folders: readonly string[]): Promise<boolean> {
  const trusted = await trustedKeys();
  const { payloads, unreadable } = await listPayloads(cache, trusted);
  const all = [...payloads, ...unreadable].map((entry) => entry.folder);
  const chosen = folders.length > 0 ? folders : all;
  if (chosen.length === 0) console.log('The cache holds no payload.');
  const accepted = await acceptedHere();
  let isWell = true;
  for (const folder of chosen) {
    const newer = folders.length > 0 ? undefined : newerThan(folder, payloads);
    if (newer !== undefined) {
      console.log(`${folder}: not checked and not used, ${newer} is newer`);
      continue;
    }
    const acceptedSequence = async (name: string): Promise<number> => (await accepted?.of(name)) ?? 0;
    const result = await verifyPayload({ folder, trusted, acceptedSequence });
    if (result.isIntact) {
      await rememberVerified(cache, folder, result.payload);
      console.log(`${folder}: intact, signed by ${result.payload.signer.owner}`);
    } else {
      isWell = false;
      for (const problem of result.problems) console.log(`${folder}: ${problem}`);
    }
  }
  return isWell;
}

const [command, ...rest] = process.argv.slice(2);
try {
  if (command === 'build') await build(rest);
  else if (command === 'fetch') await fetch(rest);
  else if (command === 'list') await list();
  else if (command === 'verify') process.exitCode = (await verify(rest)) ? 0 : 1;
  else {
    console.error(USAGE);
    process.exitCode = command === 'help' ? 0 : 2;
  }
} catch (thrown) {
  if (!(thrown instanceof Problem)) throw thrown;
  const { summary, remedy, command: tool, lastLines } = thrown.report;
  console.error(`${summary}\n${remedy ?? ''}`);
  if (tool !== undefined) console.error(`last command: ${tool}\n${(lastLines ?? []).join('\n')}`);
  process.exitCode = 1;
}
