import type { PlannedStep } from '../../provisioners/contract/plan.ts';
import { describeHostKey } from '../../provisioners/contract/host-key.ts';
import { Blocked } from '../../provisioners/contract/problem.ts';
import { clusterAccessGrant } from '../../provisioners/kubernetes/steps/cluster-access-grant.ts';
import { machineAccessGrant } from '../../provisioners/kubernetes/steps/machine-access-grant.ts';
import { nodeMarksSet } from '../../provisioners/kubernetes/steps/node-marks-set.ts';
import { providerClaim } from '../../provisioners/kubernetes/steps/provider-claim.ts';
import { apiPortOf } from './api-port.ts';
import type { IntentPlan, IntentRequest } from './request.ts';
import { about, aboutCluster, planStep } from './planned-step.ts';

/** Who answers for the machines being those they seem to be: their keys are pinned by whoever agrees. */
const hostKeysNotice = (hasKnownHosts: boolean): string =>
  hasKnownHosts
    ? 'Every machine showed the host key that was given for it; these keys are pinned.'
    : 'Nobody but you vouches for the host keys above: compare each on the machine itself (ssh-keygen -l -f /etc/ssh/ssh_host_ed25519_key.pub). They are pinned when you agree, and a machine that shows another one then is not logged in to.';

/**
 * A cluster that is there is taken in: our key on its machines, our marks, people's rights by way of Remuda. What runs is
 * not touched. May be planned again while the cluster is not seen: our key may not be on its machines yet. Pure.
 * @throws Blocked when the provider could not be asked
 */
export function planAdopt({ observed, desired, keys, intent }: IntentRequest<'adopt'>): IntentPlan {
  if (observed.machines === undefined)
    throw new Blocked(
      'PLAN-002',
      `The provider could not be asked what machines there are. ${observed.unseen.join(' ')}`.trim(),
      {
        remedy: 'Bring the provider back into reach, then go on: nothing is taken in on a guess.',
      },
    );
  const { machines, references } = observed;
  const { login, digests, etcdNote, takesOver, hasKnownHosts = false } = intent;
  const known = machines.flatMap(({ name, role }) => {
    const reference = references[name];
    return reference === undefined ? [] : [{ name, role, reference }];
  });
  const grants = known.map(({ name, reference }): PlannedStep => {
    const input = {
      machine: reference,
      login: { secretRef: login },
      publicKey: keys.sshPublicKey,
      locksOut: takesOver,
    };
    return planStep(machineAccessGrant, about(name), input, []);
  });
  const masters = known.filter(({ role }) => role === 'control-plane').map(({ reference }) => reference);
  const access = { masters, apiPort: apiPortOf(desired) };
  const admitted = grants.map(({ id }) => id);
  const rights = planStep(clusterAccessGrant, aboutCluster, { access }, admitted);
  const wanted = { digests, access, ...(etcdNote === undefined ? {} : { etcdNote }) };
  const marks = planStep(nodeMarksSet, aboutCluster, wanted, [rights.id]);
  const claim = planStep(providerClaim, aboutCluster, {}, [marks.id]);
  return {
    steps: [...grants, rights, marks, claim],
    destroys: [],
    notices: [
      "Adoption changes nothing that runs: it puts the cluster's new SSH key on its machines, Remuda's marks on them and in the cluster, and people's rights by way of Remuda.",
      hostKeysNotice(hasKnownHosts),
      ...(takesOver
        ? [
            'Another Remuda keeps this cluster until now: its SSH key is taken off the machines. End that appliance, or it goes on trying.',
          ]
        : []),
    ],
    changes: [
      {
        action: 'change',
        subject: 'cluster',
        detail: 'bears our mark, and people have access by way of Remuda',
      },
      ...known.map(({ name, role, reference }) => {
        const shown = reference.hostKeys.map(describeHostKey).join(', ');
        const detail = `${role}, lets Remuda in; its host key is ${shown}`;
        return { action: 'change', subject: name, detail } as const;
      }),
    ],
  };
}
