import { UserProblem } from '../../provisioners/contract/problem.ts';
import { checks } from '../../provisioners/kubernetes/preflight/catalogue.ts';
import { nearest } from '../spec/suggestion.ts';

/** Checks of providers are known to their agents alone; their ids begin with the provider's type. */
const ofProviders = /^(LAB|HOSTS|VSPHERE|EC2|METAL)-[A-Z]/;

/**
 * A bypass must be of a check that there is and that lets itself be bypassed: one that is misspelt would be recorded,
 * and stop the operation all the same. Asked of requests only: an operation that goes on keeps what it was given, also
 * when a later release has other checks.
 * @throws UserProblem PLAN-013, PLAN-014
 */
export function requireBypassable(ids: readonly string[]): void {
  for (const id of ids) {
    const check = checks.find((one) => one.id === id);
    if (check?.severity === 'bypassable' || (check === undefined && ofProviders.test(id))) continue;
    const bypassable = checks.filter(({ severity }) => severity === 'bypassable').map((one) => one.id);
    const possible = `Those that can be bypassed: ${bypassable.join(', ')}; and the provider's own that preflight names.`;
    if (check !== undefined)
      throw new UserProblem('PLAN-013', `${id} is strict: it prevents that ${check.prevents}`, {
        value: id,
        remedy: `Leave it out, and mend what it finds. ${possible}`,
      });
    const meant = nearest(id, bypassable);
    throw new UserProblem('PLAN-014', `There is no check ${id}`, {
      value: id,
      remedy: meant === undefined ? possible : `Did you mean ${meant}? ${possible}`,
    });
  }
}
