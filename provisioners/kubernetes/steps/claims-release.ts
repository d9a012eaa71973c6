import { z } from 'zod';
import type { ControlPlaneAccess } from '../../contract/ports/etcd.ts';
import { defineStep, type Observation, type StepContext } from '../../contract/step.ts';
import { minutes } from '../../contract/time.ts';
import { claimName, type ClaimsLook, type ClaimUser, lookAtClaims } from '../claims-look.ts';
import { accessSchema } from '../cluster-settings.ts';
import { type DeletionNote, isGivenUp, readNote, requireOwn, writeNote } from '../deletion-note.ts';
import { awaitGoing, holdOf, someOf, waysOut } from '../going-objects.ts';
import { releaseRun } from '../limits.ts';
import { type ReleaseFacts, releasePolicySchema } from '../../contract/released.ts';
import { type ClaimedVolume, volumeEntry } from '../volumes.ts';

const inputSchema = z.strictObject({
  access: accessSchema,
  policy: releasePolicySchema,
  volumes: z.enum(['retain', 'delete']),
});
type Input = z.infer<typeof inputSchema>;

/** Kubernetes' own word for: whoever deletes the claim, leave the volume. */
const retain = 'Retain';

/** Volumes that the policy keeps and that Kubernetes would remove with their claims as they are. */
const unprotected = ({ volumes }: ClaimsLook, { volumes: policy }: Input): ClaimedVolume[] =>
  policy === 'retain'
    ? volumes.filter(({ reclaimPolicy, isOnMachine }) => reclaimPolicy !== retain && !isOnMachine)
    : [];

/** Volumes whose data the policy keeps, and nobody can: they lie on the disks of machines that go. */
const doomed = ({ volumes }: ClaimsLook, { volumes: policy }: Input): ClaimedVolume[] =>
  policy === 'retain' ? volumes.filter(({ isOnMachine }) => isOnMachine) : [];

/** Volumes that are still to be removed by their provisioners. */
const removable = ({ volumes }: ClaimsLook, { volumes: policy }: Input): ClaimedVolume[] =>
  policy === 'delete'
    ? volumes.filter(({ reclaimPolicy, isOnMachine }) => reclaimPolicy !== retain && !isOnMachine)
    : [];

/** Volumes that stay, and hang on a machine yet: destroyed with it, some clouds would take them along. */
const attached = ({ volumes, attachments }: ClaimsLook) =>
  attachments.filter(({ volume }) =>
    volumes.some(({ name, reclaimPolicy }) => name === volume && reclaimPolicy === retain),
  );

/** Pods that keep claims from going, which are to go. */
function holders({ users, claims }: ClaimsLook): ClaimUser[] {
  const going = new Set(claims.filter(({ since }) => since !== undefined).map(claimName));
  return users.filter(({ claims: used }) => used.some((name) => going.has(name)));
}

function blockedByLocal(volumes: readonly ClaimedVolume[], cluster: string): Observation<ReleaseFacts> {
  const names = volumes.map(({ name, claim, driver }) => `${name} of claim ${claim} (${driver})`);
  return {
    state: 'blocked',
    what: 'a decision about volumes on disks of machines',
    why: `deletion.volumes is retain, and these volumes lie on disks of machines that are destroyed: ${someOf(names)}`,
    remedy: `Copy what they hold elsewhere and delete their claims; it goes on by itself then. Or give them up with all others: cancel this operation and ask again: remuda delete ${cluster} --volumes delete`,
  };
}

/** Says what is still awaited once everything is told to go; undefined when nothing is. */
function awaited(
  look: ClaimsLook,
  input: Input,
  context: StepContext,
): Observation<ReleaseFacts> | undefined {
  const [now, cluster] = [context.now(), context.cluster.name];
  const users = holders(look).map(({ title, node }) => `pod ${title} on ${node}`);
  const also = users.length === 0 ? undefined : `still used by ${someOf(users, ', ')}`;
  if (look.claims.length > 0)
    return awaitGoing(look.claims, { what: 'volume claims to be let go', now, cluster, also });
  const volumes = removable(look, input);
  const failed = volumes.find(({ phase }) => phase === 'Failed');
  const names = volumes.map(({ name, driver, phase }) => `${name} (${driver}, ${phase})`);
  if (failed !== undefined)
    return {
      state: 'blocked',
      what: 'volumes to be removed',
      why: `the volume ${failed.name} could not be removed: ${failed.message ?? 'nobody says why'}`,
      remedy: `Mend what its provisioner (${failed.driver}) says. ${waysOut(cluster)}`,
    };
  if (volumes.length > 0)
    return {
      state: 'pending',
      what: 'volumes to be removed',
      lastSeen: someOf(names),
      since: now,
      usually: minutes(1),
    };
  const hanging = attached(look).map(({ volume, node, attacher }) => `${volume} on ${node} (${attacher})`);
  if (hanging.length === 0) return undefined;
  return {
    state: 'pending',
    what: 'kept volumes to be detached',
    lastSeen: someOf(hanging),
    since: now,
    usually: minutes(1),
  };
}

/** What became of everything; `isOver`: nothing is awaited any more, otherwise what does not go is left. */
function factsOf(look: ClaimsLook, input: Input, { entries }: DeletionNote, isOver: boolean): ReleaseFacts {
  const kept = look.volumes.filter(
    ({ reclaimPolicy, isOnMachine }) => reclaimPolicy === retain && !isOnMachine,
  );
  const still = isOver ? [] : removable(look, input);
  const others = new Set([...kept, ...still].map(({ handle }) => handle));
  const wordOf = ({ claim, phase, message }: ClaimedVolume): string =>
    message ?? look.claims.filter((one) => claimName(one) === claim).map(holdOf)[0] ?? `it is ${phase}`;
  // A volume that bore it before is kept by whoever made it so, also when all others are deleted.
  const policy =
    input.volumes === 'retain' ? 'deletion.volumes: retain' : 'persistentVolumeReclaimPolicy: Retain';
  return {
    lists: {
      of: 'volumes',
      gone: entries.filter(({ id }) => !others.has(id)),
      kept: kept.map((one) => ({ ...volumeEntry(one), policy })),
      left: still.map((one) => ({
        ...volumeEntry(one),
        why: `${wordOf(one)}; it was not waited for, as chosen`,
      })),
    },
  };
}

/** What is to be done now; undefined when everything is told to go. */
function todo(look: ClaimsLook, input: Input, note: DeletionNote): string | undefined {
  const open = unprotected(look, input);
  if (open.length > 0)
    return `volumes would go with their claims: ${someOf(
      open.map(({ name }) => name),
      ', ',
    )}`;
  const untold = look.claims.filter(({ since }) => since === undefined);
  if (untold.length > 0) return `claims are there: ${someOf(untold.map(claimName), ', ')}`;
  const users = holders(look).filter(({ isGoing, isStranded }) => !isGoing || isStranded);
  if (users.length > 0)
    return `pods use claims that are to go: ${someOf(
      users.map(({ title }) => title),
      ', ',
    )}`;
  const isNoted = note.since !== undefined || look.volumes.length === 0;
  return isNoted ? undefined : 'the volumes were not written down';
}

/** Ends a pod that uses a claim which goes; where its machine runs no more nobody else would confirm its end. */
async function endUser(
  context: StepContext,
  access: ControlPlaneAccess,
  { title, node, reference, isGoing, isStranded }: ClaimUser,
): Promise<void> {
  if (isStranded) {
    await context.kubernetes.deletePod(access, reference, 0);
    context.log(`pod ${title} is taken out of the cluster: its machine ${node} runs no more`);
  } else if (!isGoing) {
    await context.kubernetes.deletePod(access, reference);
    context.log(`pod ${title} is told to go: it uses a claim that goes`);
  }
}

/**
 * Deletes volume claims and ends the pods that use them, so that volumes are written out and detached before any machine
 * goes. With `retain` every volume is first told to outlive its claim, and is listed as kept with its handle; with
 * `delete` their provisioners remove them, but for those that somebody marked Retain. What lies on a machine's own disk
 * cannot outlive it: with `retain` a person decides.
 */
export const claimsRelease = defineStep<Input, ReleaseFacts>({
  kind: 'claims.release',
  version: 1,
  nature: 'ensure',
  phase: 'teardown',
  destructive: true,
  title: ({ volumes }) =>
    volumes === 'retain'
      ? 'Release volume claims and keep the volumes'
      : 'Delete volume claims with their volumes',
  schema: inputSchema,
  limits: releaseRun,
  async observe(context, input) {
    const [look, note] = await Promise.all([
      lookAtClaims(context, input.access),
      readNote(context, input.access, 'claims'),
    ]);
    const local = doomed(look, input);
    if (local.length > 0) return blockedByLocal(local, context.cluster.name);
    const why = todo(look, input, note);
    if (why !== undefined) return { state: 'todo', why };
    const waiting = awaited(look, input, context);
    if (waiting === undefined) return { state: 'done', facts: factsOf(look, input, note, true) };
    if (isGivenUp(note, input.policy, context.now()))
      return { state: 'done', facts: factsOf(look, input, note, false) };
    return waiting;
  },
  async apply(context, input) {
    const { access } = input;
    await requireOwn(context, access);
    const look = await lookAtClaims(context, access);
    // Somebody may have bound one since the last look: nothing is deleted on what that look did not see.
    if (doomed(look, input).length > 0) return;
    await writeNote(context, access, 'claims', look.volumes.map(volumeEntry));
    for (const { name, uid } of unprotected(look, input)) {
      const metadata = { name, uid };
      const spec = { persistentVolumeReclaimPolicy: retain };
      await context.kubernetes.apply(access, [
        { apiVersion: 'v1', kind: 'PersistentVolume', metadata, spec },
      ]);
      context.log(`the volume ${name} is kept when its claim goes`);
    }
    for (const claim of look.claims) {
      if (claim.since !== undefined) continue;
      await context.kubernetes.remove(access, claim.reference);
      context.log(`${claim.title} is told to go`);
    }
    for (const user of holders(await lookAtClaims(context, access))) await endUser(context, access, user);
  },
});
