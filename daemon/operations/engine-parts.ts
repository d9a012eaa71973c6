import type { Sealed } from '../../appliance/agent/protocol/dispatch.ts';
import type { Clock } from '../state/clock.ts';
import type { State } from '../state/state.ts';
import type { HealthSettings } from './health/health.ts';
import type { AgentLink } from './link.ts';
import type { Planners } from './planners.ts';

/** What the engine is made of. main.ts wires the real parts, tests wire fakes. */
export interface EngineParts {
  readonly state: State;
  /** The link to a site's agent; one object a site for the life of the process, connected or not. */
  readonly links: (site: string) => AgentLink;
  readonly planners: Planners;
  readonly clock: Clock;
  /** A new unique id, URL-safe. */
  readonly ids: () => string;
  /** Folder for the operations' log files; made when missing. */
  readonly logDirectory: string;
  /** Seals a text to age recipients. The engine cannot open what comes back. */
  readonly seal: (plaintext: string, recipients: readonly string[]) => Promise<Sealed>;
  /** Recovery key's recipient (`age1…`): everything is sealed to it beside the site's agent. */
  readonly recoveryRecipient?: string;
  /** How clusters are looked after between operations; absent: nobody does. */
  readonly health?: HealthSettings;
}
