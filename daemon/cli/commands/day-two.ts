import type { Command } from 'commander';
import { intentAnswerSchema, type IntentRequest } from '../../api/types.ts';
import { addAgreementOptions, type AgreementOptions, carryOut, tellBegun } from './agreement.ts';
import type { Session } from './session.ts';

/** Shows what an intent would do, asks, and begins exactly that. */
export async function bringAbout(
  session: Session,
  cluster: string,
  intent: IntentRequest['intent'],
  options: AgreementOptions,
  nothing: string,
): Promise<void> {
  const path = `/api/v1/clusters/${encodeURIComponent(cluster)}`;
  const asked = { cluster, plan: `${path}/operation-plan`, begin: `${path}/operations`, body: { intent } };
  const answer = await carryOut(session, asked, intentAnswerSchema, options);
  const { operation } = answer;
  return tellBegun(session, answer, operation === undefined ? [] : [operation], options, nothing);
}

/** finalize. */
export function addFinalizeCommand(program: Command, session: Session): void {
  addAgreementOptions(
    program
      .command('finalize <cluster>')
      .description('end an upgrade: destroy the machines that were kept for the way back'),
  ).action((cluster: string, options: AgreementOptions) => {
    const nothing = `Cluster/${cluster} keeps no machine from an upgrade: there is nothing to finalize`;
    return bringAbout(session, cluster, { kind: 'finalize' }, options, nothing);
  });
}
