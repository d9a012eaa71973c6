import { Problem } from '../contract/problem.ts';
import { seconds } from '../contract/time.ts';
import { type DigestTable, REVIEWED_RELEASES, type UpstreamRelease } from './digests.ts';
import { ask } from './transport.ts';
import { PUBLIC_UPSTREAM, type UpstreamBase, type UpstreamSources } from './upstream.ts';

/** Whoever does not answer within this is taken for unreachable: a person is waiting for the choice. */
const PATIENCE = seconds(5);

/** Where to look for a release, and which would be of use. */
export interface NewestOptions {
  readonly arch?: UpstreamRelease['arch'];
  /** Upstream's public places, unless mirrors are given. */
  readonly sources?: UpstreamSources;
  /** The reviewed table; another one only in tests. */
  readonly releases?: DigestTable;
  /** Whether this machine could run a version (`v1.37.1`): its control groups, for example. */
  readonly isUsable: (version: string) => boolean;
  /** Only for tests on this machine: sources on loopback are otherwise refused. */
  readonly isLoopbackAllowed?: boolean;
}

/** The choice, and its reason in one sentence for people. */
export interface Newest {
  readonly release: UpstreamRelease | undefined;
  readonly why: string;
}

/**
 * The newest reviewed release that this machine could run, if all of upstream's places answer now. Asks nobody when
 * no row of the table would be of use. Never throws for a source that is away: that is an answer here.
 */
export async function newestRelease(options: NewestOptions): Promise<Newest> {
  const { releases = REVIEWED_RELEASES, sources = PUBLIC_UPSTREAM, arch = 'amd64' } = options;
  const ofArch = releases.filter((row) => row.arch === arch);
  if (ofArch.length === 0)
    return { release: undefined, why: 'no newer release has digests reviewed into this version of Remuda' };
  const [newest] = ofArch
    .filter((row) => options.isUsable(row.kubernetes))
    .toSorted((a, b) => b.kubernetes.localeCompare(a.kubernetes, 'en', { numeric: true }));
  if (newest === undefined)
    return { release: undefined, why: 'no release with reviewed digests runs on this machine' };
  for (const base of [sources.kubernetes, sources.github, sources.registry]) {
    const away = await whyAway(base, sources, options.isLoopbackAllowed ?? false);
    if (away !== undefined)
      return { release: undefined, why: `${newest.kubernetes} cannot be fetched from here: ${away}` };
  }
  return { release: newest, why: 'it is the newest release that is reviewed and can be fetched from here' };
}

/** Any answer will do, a refusal too: what is asked is whether there is a way. Undefined when there is. */
async function whyAway(
  base: UpstreamBase,
  sources: UpstreamSources,
  isLoopbackAllowed: boolean,
): Promise<string | undefined> {
  const transport = {
    base,
    certificateAuthorities: sources.certificateAuthorities ?? [],
    isLoopbackAllowed,
    signal: AbortSignal.timeout(PATIENCE),
  };
  try {
    const answer = await ask(transport, base.url);
    answer.body.destroy();
    return undefined;
  } catch (thrown) {
    if (thrown instanceof Problem) return thrown.message;
    if (transport.signal.aborted)
      return `${new URL(base.url).host} did not answer within ${PATIENCE / 1000} s`;
    throw thrown;
  }
}
