import { Problem } from '../../provisioners/contract/problem.ts';

/** Why the door or the register of people said no; the API makes the status of it. */
export type AccessReason =
  | 'unauthenticated'
  | 'second-factor'
  | 'too-many'
  | 'forbidden'
  | 'conflict'
  | 'invalid'
  | 'not-found';

/** A request about access that was refused; nothing was changed. */
export class AccessRefusal extends Problem {
  readonly reason: AccessReason;
  /** Seconds after which it is worth trying again. */
  readonly retryAfter: number | undefined;

  constructor(
    reason: AccessReason,
    code: string,
    summary: string,
    { remedy, retryAfter }: { readonly remedy: string; readonly retryAfter?: number },
  ) {
    super('user', code, summary, { remedy });
    this.reason = reason;
    this.retryAfter = retryAfter;
  }
}

/** One answer for unknown names, wrong passwords, and people who may not come in: nothing is learned by trying. */
export const wrongSignIn = (): AccessRefusal =>
  new AccessRefusal('unauthenticated', 'ACCESS-007', 'name or password is not right', {
    remedy: 'Type them again. Forgotten: an administrator can send you a new invitation.',
  });

/** `retryAfter` in seconds. */
export const tooManyTries = (retryAfter: number): AccessRefusal =>
  new AccessRefusal('too-many', 'ACCESS-009', 'too many tries', {
    remedy: `Try again in ${retryAfter} s. A browser in which you were signed in before does not wait.`,
    retryAfter,
  });
