import type { Finding, HostCheck, HostFacts } from '../../contract/preflight.ts';
import type { ClusterSettings } from '../cluster-settings.ts';

/** A check of one machine, with its judgement: pure, so that the catalogue's test can feed it both cases. */
export interface MachineCheck extends HostCheck {
  judge(facts: HostFacts, settings: ClusterSettings): Pick<Finding, 'outcome' | 'saw' | 'field' | 'remedy'>;
}

/** The catalogue of checks of one machine. */
export const checks: readonly MachineCheck[] = [];
