import type { Check, HostCheck } from './check.ts';
import { machineChecks } from './machine-checks.ts';
import { meshChecks, networkHostChecks } from './network-checks.ts';
import { payloadChecks } from './payload-checks.ts';

/** Checks of one machine, in the order people read them. */
export const hostChecks: readonly HostCheck[] = [...machineChecks, ...networkHostChecks];

/** Every preflight check of machines there is; the manual's page is made from this list. */
export const checks: readonly Check[] = [...payloadChecks, ...hostChecks, ...meshChecks];

export { meshChecks, payloadChecks };
