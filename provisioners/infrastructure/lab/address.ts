import { existsSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { UserProblem } from '../../contract/problem.ts';
import { placesOfMachine, type LabPlaces } from './places.ts';
import { isAlive, ownIdentity, processIdentitySchema } from './process.ts';
import { createExclusively, readRecord, type LabRecord } from './record.ts';
import { addressesOf, overlap, parseSubnet } from './subnet.ts';

/** One file an address: who has it, and which process took it for that machine. */
const claimSchema = z.strictObject({ name: z.string(), maker: processIdentitySchema });

/**
 * Takes an address of the lab for a machine: the one asked for (with or without prefix length), else the first free
 * one of the ranges. The same machine gets the same address again.
 * @throws UserProblem when it is outside the subnet or none is free.
 */
export async function claimAddress(
  lab: LabPlaces,
  labRecord: LabRecord,
  name: string,
  asked?: string,
): Promise<string> {
  const wanted = asked?.split('/')[0];
  if (wanted !== undefined && !overlap(parseSubnet(wanted), parseSubnet(labRecord.subnet)))
    throw new UserProblem('LAB-044', `${wanted} is not in the lab's subnet ${labRecord.subnet}`, {
      value: wanted,
      remedy: 'Choose an address of that subnet.',
    });
  await freeLostAddresses(lab);
  const claim = JSON.stringify({ name, maker: await ownIdentity() });
  const candidates = wanted === undefined ? addressesOf(labRecord.ranges) : [wanted];
  for (const address of candidates) {
    const file = join(lab.addresses, address);
    if (await createExclusively(file, claim)) return address;
    if ((await readRecord(file, claimSchema))?.name === name) return address;
  }
  const tried = wanted ?? labRecord.ranges.join(', ');
  throw new UserProblem('LAB-045', `no address is free for ${name} (${tried})`, {
    value: tried,
    remedy: 'Destroy a machine or widen the ranges.',
  });
}

/** Frees addresses whose machine was never recorded: the process that took them died in between. */
async function freeLostAddresses(lab: LabPlaces): Promise<void> {
  for (const address of await readdir(lab.addresses)) {
    const file = join(lab.addresses, address);
    const claim = address.endsWith('.new') ? undefined : await readRecord(file, claimSchema);
    if (!claim || existsSync(placesOfMachine(lab, claim.name).record) || (await isAlive(claim.maker)))
      continue;
    await rm(file, { force: true });
  }
}

/** Gives a machine's address back. Other machines' claims are left alone. */
export async function releaseAddress(lab: LabPlaces, name: string): Promise<void> {
  for (const address of await readdir(lab.addresses)) {
    const file = join(lab.addresses, address);
    const claim = address.endsWith('.new') ? undefined : await readRecord(file, claimSchema);
    if (claim?.name === name) await rm(file, { force: true });
  }
}
