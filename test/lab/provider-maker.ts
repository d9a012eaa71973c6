/**
 * A process that makes a lab, to be killed: `node provider-maker.ts STATE-FOLDER CLUSTER VERB MACHINE…`. The verbs:
 * `create` (network and machines), `destroy` (machines and network).
 */
import { labSettings, LabProvider } from '../../provisioners/infrastructure/lab/provider.ts';
import { requestFor } from './provider-request.ts';

const [labDirectory = '', name = '', verb, ...machines] = process.argv.slice(2);
const provider = new LabProvider(await labSettings({ labDirectory }));
const cluster = { uid: `uid-of-${name}`, name };
const { signal } = new AbortController();

if (verb === 'create') {
  await provider.infrastructure.prepare(cluster, undefined, signal);
  await Promise.all(
    machines.map((machine) => provider.machines.create(requestFor(cluster, machine), signal)),
  );
} else {
  await Promise.all(machines.map((machine) => provider.machines.destroy(cluster, machine, signal)));
  await provider.infrastructure.remove(cluster, signal);
}
console.log('done');
