import { lookup } from 'node:dns/promises';
import ipaddr from 'ipaddr.js';
import { UserProblem } from '../../../provisioners/contract/problem.ts';

/** What the agent may reach at addresses that a user gave. */
export interface Reach {
  /** For tests alone, whose servers stand on loopback. */
  readonly isLoopbackAllowed: boolean;
}

/**
 * Addresses from which clouds hand out credentials of the machine, beside those of 169.254.0.0/16, which is refused as a
 * whole: AWS over IPv6 (EC2 user guide, "Instance metadata"), Alibaba Cloud, Oracle Cloud at 192.0.0.192 (a reserved range).
 */
const metadataAddresses = new Set(['fd00:ec2::254', '100.100.100.200']);

/** Ranges (of ipaddr.js) in which a server that somebody gives us by URL may stand. */
const allowedRanges = new Set(['unicast', 'private', 'uniqueLocal', 'carrierGradeNat']);

/**
 * The address of a host that a user gave, after resolution, so that a name cannot lead where an address may not
 * (DESIGN §8). Connect to what is answered, not to the name again.
 * @throws UserProblem OUTGOING-001 when the name is not known, OUTGOING-002 when any of its addresses is not allowed
 */
export async function addressOf(host: string, reach: Reach): Promise<string> {
  const bare = host.startsWith('[') ? host.slice(1, -1) : host;
  const addresses = await resolve(bare);
  const refused = addresses.find((address) => !isAllowed(address, reach));
  const [first] = addresses;
  if (refused === undefined && first !== undefined) return first;
  throw new UserProblem('OUTGOING-002', `${bare} leads to an address that Remuda does not connect to.`, {
    remedy: 'Give a server that is not this machine itself, link-local, or a metadata service of a cloud.',
  });
}

async function resolve(host: string): Promise<readonly string[]> {
  if (ipaddr.isValid(host)) return [host];
  try {
    const found = await lookup(host, { all: true, verbatim: true });
    if (found.length > 0) return found.map(({ address }) => address);
  } catch {
    // Said below: what the resolver said in detail is of its network, not of ours.
  }
  throw new UserProblem('OUTGOING-001', `The name ${host} is not known at the agent's site.`, {
    remedy: 'Check the name, and the name servers of the machine on which the agent runs.',
  });
}

function isAllowed(text: string, reach: Reach): boolean {
  const address = ipaddr.process(text);
  if (address.range() === 'loopback') return reach.isLoopbackAllowed;
  const plain = address.toString();
  return allowedRanges.has(address.range()) && !metadataAddresses.has(plain);
}
