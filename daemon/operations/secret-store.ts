import { optional } from '../state/columns.ts';
import type { SecretRecord } from '../state/secrets.ts';
import { secretsNamedIn } from './planners.ts';
import type { Preparation } from './preparation.ts';
import { problems } from './problems.ts';
import type { Recorder } from './recorder.ts';
import { Refusal, type SecretRequest } from './requests.ts';
import type { SecretView } from './answers.ts';

const viewOf = (record: SecretRecord): SecretView => ({
  name: record.name,
  keys: record.keys,
  principal: record.principal,
  updatedAt: record.updatedAt,
  ...optional('destination', record.destination),
});

/** Users' secrets: sealed on arrival, never shown again. */
export class SecretStore {
  readonly #recorder: Recorder;
  readonly #preparation: Preparation;

  constructor(recorder: Recorder, preparation: Preparation) {
    this.#recorder = recorder;
    this.#preparation = preparation;
  }

  /** A secret given anew is bound anew: giving it again is how a person agrees to a changed destination. */
  async set(request: SecretRequest): Promise<SecretView> {
    const [secret] = await this.#preparation.sealAll([request]);
    if (secret === undefined) throw new Error('sealing answered nothing');
    const { state } = this.#recorder;
    return this.#recorder.commit((note, at) => {
      const user = this.#usersOf(secret.name)[0];
      const bound = optional('destination', user?.destination);
      const record: SecretRecord = { ...secret, principal: request.principal, updatedAt: at, ...bound };
      state.secrets.put(record);
      note({ type: 'secret.set', data: { secret: secret.name, principal: request.principal } });
      return viewOf(record);
    });
  }

  list(): readonly SecretView[] {
    return this.#recorder.state.secrets.list().map(viewOf);
  }

  async remove(name: string, principal: string): Promise<void> {
    await this.#recorder.commit((note) => {
      const user = this.#usersOf(name)[0];
      if (user !== undefined) throw new Refusal('conflict', [problems.secretInUse(name, user.name)]);
      if (!this.#recorder.state.secrets.remove(name))
        throw new Refusal('not-found', [problems.notFound('secret', name)]);
      note({ type: 'secret.removed', data: { secret: name, principal } });
    });
  }

  #usersOf(name: string): readonly { readonly name: string; readonly destination?: string }[] {
    const { state } = this.#recorder;
    const providers = state.providers.list();
    const users = providers.filter((provider) => secretsNamedIn(provider.document).includes(name));
    const clusters = state.clusters.list().filter((cluster) => {
      const document = state.revisions.newest(cluster.uid)?.document;
      return document !== undefined && secretsNamedIn(document).includes(name);
    });
    // Directories and receivers of the audit trail name theirs in the same way.
    const outgoing = [...state.directories.list(), ...state.auditExports.list()].filter(({ config }) =>
      secretsNamedIn(config).includes(name),
    );
    return [...users, ...[...clusters, ...outgoing].map((user) => ({ name: user.name }))];
  }
}
