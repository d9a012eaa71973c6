import { type Hello, protocolVersion } from '../../appliance/agent/protocol/dispatch.ts';
import type { ProblemReport } from '../../provisioners/contract/problem.ts';
import type { AgentIdentity } from '../access/authority.ts';

/** Why an agent that says hello is not let in; undefined when it is welcome. `active`: who may be let in now. */
export function whyNotWelcome(
  hello: Hello,
  identity: AgentIdentity,
  active: AgentIdentity,
): ProblemReport | undefined {
  const { site, epoch } = active;
  if (hello.site !== identity.site || hello.epoch !== identity.epoch)
    return refused(
      'LINK-003',
      `An agent says it is ${hello.site}/${hello.epoch}, its certificate says otherwise.`,
    );
  if (hello.epoch !== epoch)
    return refused(
      'LINK-002',
      `The agent of site ${site} holds epoch ${hello.epoch}; the active one holds ${epoch}.`,
    );
  if (Math.abs(hello.protocol - protocolVersion) > 1)
    return {
      kind: 'blocked',
      code: 'LINK-001',
      summary: `The agent of site ${site} (release ${hello.release}) speaks protocol ${hello.protocol}, the daemon ${protocolVersion}: they may differ by one.`,
      remedy: 'Update the older of the two; work waits until then.',
    };
  return undefined;
}

function refused(code: string, summary: string): ProblemReport {
  return {
    kind: 'blocked',
    code,
    summary,
    remedy: 'If this is the agent you want, enrol it again with a fresh token; otherwise stop it.',
  };
}

/** An agent that sends what cannot be read. */
export function malformedReports(site: string): ProblemReport {
  return {
    kind: 'fault',
    code: 'LINK-004',
    summary: `The agent of site ${site} sent reports that are none.`,
  };
}
