import type { OperationKind } from '../../provisioners/contract/plan.ts';

/** What somebody may ask of a cluster while an operation holds it. */
export type RequestKind = OperationKind | 'resume' | 'observe' | 'plan' | 'credential';

/** What becomes of the request. */
export type Verdict =
  /** Both go on. */
  | 'beside'
  /** The requested one waits for the running one's end and then plans afresh. */
  | 'wait'
  /** The running one is cancelled; the requested one starts when its last running step has ended. */
  | 'interrupt'
  /** Not now. */
  | 'refuse';

/**
 * Running kind × requested kind (DESIGN §5). Looking is always allowed. A newer revision waits its turn, because a
 * plan half run is in no state to be planned over. A deletion ends whatever builds, because nobody needs what it
 * would finish. Nothing is begun on a cluster that is being deleted.
 */
export const conflicts: Readonly<Record<OperationKind, Readonly<Record<RequestKind, Verdict>>>> = {
  create: {
    adopt: 'refuse',
    eject: 'refuse',
    backup: 'wait',
    create: 'refuse',
    update: 'wait',
    delete: 'interrupt',
    finalize: 'refuse',
    renew: 'refuse',
    restore: 'refuse',
    resume: 'refuse',
    observe: 'beside',
    plan: 'beside',
    credential: 'beside',
  },
  update: {
    adopt: 'refuse',
    eject: 'refuse',
    backup: 'wait',
    create: 'refuse',
    update: 'wait',
    delete: 'interrupt',
    finalize: 'refuse',
    renew: 'refuse',
    restore: 'refuse',
    resume: 'refuse',
    observe: 'beside',
    plan: 'beside',
    credential: 'beside',
  },
  finalize: {
    adopt: 'refuse',
    eject: 'refuse',
    backup: 'wait',
    create: 'refuse',
    update: 'wait',
    delete: 'interrupt',
    finalize: 'refuse',
    renew: 'refuse',
    restore: 'refuse',
    resume: 'refuse',
    observe: 'beside',
    plan: 'beside',
    credential: 'beside',
  },
  renew: {
    adopt: 'refuse',
    eject: 'refuse',
    backup: 'wait',
    create: 'refuse',
    update: 'wait',
    delete: 'interrupt',
    finalize: 'refuse',
    renew: 'refuse',
    restore: 'refuse',
    resume: 'refuse',
    observe: 'beside',
    plan: 'beside',
    credential: 'beside',
  },
  restore: {
    adopt: 'refuse',
    eject: 'refuse',
    backup: 'refuse',
    create: 'refuse',
    update: 'wait',
    delete: 'interrupt',
    finalize: 'refuse',
    renew: 'refuse',
    restore: 'refuse',
    resume: 'refuse',
    observe: 'beside',
    plan: 'beside',
    credential: 'beside',
  },
  backup: {
    adopt: 'refuse',
    eject: 'wait',
    backup: 'refuse',
    create: 'refuse',
    update: 'wait',
    delete: 'interrupt',
    finalize: 'wait',
    renew: 'wait',
    // Who restores has lost what a backup would be taken of.
    restore: 'interrupt',
    resume: 'refuse',
    observe: 'beside',
    plan: 'beside',
    credential: 'beside',
  },
  delete: {
    adopt: 'refuse',
    eject: 'refuse',
    backup: 'refuse',
    create: 'refuse',
    update: 'refuse',
    delete: 'refuse',
    finalize: 'refuse',
    renew: 'refuse',
    restore: 'refuse',
    resume: 'refuse',
    observe: 'beside',
    plan: 'beside',
    credential: 'refuse',
  },
  // Whoever is given away is worked on by nobody else; a stopped ejection gives way to what is asked then.
  eject: {
    adopt: 'refuse',
    eject: 'refuse',
    backup: 'refuse',
    create: 'refuse',
    update: 'refuse',
    delete: 'refuse',
    finalize: 'refuse',
    renew: 'refuse',
    restore: 'refuse',
    resume: 'refuse',
    observe: 'beside',
    plan: 'beside',
    credential: 'refuse',
  },
  // What is not wholly ours yet is neither deleted nor changed.
  adopt: {
    adopt: 'refuse',
    eject: 'refuse',
    backup: 'refuse',
    create: 'refuse',
    update: 'wait',
    delete: 'refuse',
    finalize: 'refuse',
    renew: 'refuse',
    restore: 'refuse',
    resume: 'refuse',
    observe: 'beside',
    plan: 'beside',
    credential: 'beside',
  },
};
