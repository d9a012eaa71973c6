import { Problem } from '../../provisioners/contract/problem.ts';
import type { EngineDoors } from './route.ts';
import type { Supplies } from './schemas/supplies.ts';

type Site = Supplies['sites'][number];
type Missing = Supplies['missing'][number];

/** Asks each site's agent what it has on board, and says what is missing for a first cluster. */
export async function takeStock(engine: EngineDoors): Promise<Supplies> {
  const looks = await Promise.all(engine.listAgents().map((agent) => look(engine, agent)));
  const sites = looks.map(({ site }) => site);
  const missing: Missing[] = looks.flatMap((found) => found.missing);
  if (sites.length === 0)
    missing.push({
      what: 'an agent',
      why: 'The agent does the work on machines; this server only plans and remembers.',
      remedy: 'On the host: scripts/up starts one. Elsewhere: remuda agent token SITE',
    });
  const hasLab = sites.some(
    ({ agent, payloads }) => agent.state === 'connected' && payloads.some(({ flavour }) => flavour === 'lab'),
  );
  return {
    sites,
    lab: hasLab
      ? { isPossible: true }
      : { isPossible: false, reason: 'No connected agent has a payload of the flavour "lab" on board.' },
    missing,
  };
}

async function look(
  engine: EngineDoors,
  agent: Site['agent'],
): Promise<{ readonly site: Site; readonly missing: readonly Missing[] }> {
  const { site } = agent;
  if (agent.state !== 'connected') {
    const why = 'It is not connected just now, so nothing can be made there.';
    const remedy = 'Look whether it runs and reaches this server: remuda get agents';
    return {
      site: { site, agent, payloads: [] },
      missing: [{ what: `the agent of site ${site}`, why, remedy }],
    };
  }
  try {
    const payloads = await engine.listPayloads(site);
    const none = {
      what: `a payload on site ${site}`,
      why: 'Clusters are made from a payload: the programs and images of one Kubernetes version.',
      remedy: 'Bring one: scripts/payload; see "Offline payloads" in the manual.',
    };
    return { site: { site, agent, payloads }, missing: payloads.length === 0 ? [none] : [] };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    const { summary, remedy = 'Try again.' } = error.report;
    return {
      site: { site, agent, payloads: [] },
      missing: [{ what: `the list of payloads of site ${site}`, why: summary, remedy }],
    };
  }
}
