import type { MachineRef } from '../../../provisioners/contract/machine.ts';
import type { FilePort } from '../../../provisioners/contract/ports/file.ts';
import {
  kubeadmBeside,
  type PayloadPort,
  type PayloadRole,
  type PayloadShare,
} from '../../../provisioners/contract/ports/payload.ts';
import { Transient } from '../../../provisioners/contract/problem.ts';
import {
  curlConfig,
  installList,
  installTable,
  machineInstallScript,
} from '../../../provisioners/payload/install-list.ts';
import type { CatalogueEntry } from '../../../provisioners/payload/catalogue.ts';
import type { Machines } from '../machines.ts';
import { holderOf, type PayloadSupply } from '../payload-supply.ts';
import type { Units } from '../units.ts';
import type { Work } from '../work.ts';

/** Where the script, its list and its state lie on a machine. */
const folder = '/var/lib/remuda/payload';
const script = `${folder}/machine-install`;
const state = `${folder}/state`;
const label = 'payload-install';
/** Hashing everything on a busy machine. */
const observePatience = 180_000;

/** What the port is made of. */
interface PayloadAdapterOptions {
  readonly machines: Machines;
  readonly units: Units;
  readonly file: FilePort;
  readonly supply: PayloadSupply;
  readonly work: Work;
}

/** The offline bundle, from the agent's cache to a machine. */
export class PayloadAdapter implements PayloadPort {
  readonly #options: PayloadAdapterOptions;

  constructor(options: PayloadAdapterOptions) {
    this.#options = options;
  }

  async summary(kubernetesVersion: string): ReturnType<PayloadPort['summary']> {
    const { manifest, digest } = await this.#options.supply.find(kubernetesVersion);
    return {
      name: manifest.name,
      kubernetesVersion: manifest.kubernetes,
      flavour: manifest.flavour,
      images: manifest.images.map(({ reference }) => reference),
      digest,
    };
  }

  async observe(
    machine: MachineRef,
    kubernetesVersion: string,
    role: PayloadRole,
    share: PayloadShare = 'whole',
  ): ReturnType<PayloadPort['observe']> {
    const { units, machines, supply } = this.#options;
    const unit = await units.observe(machine, label);
    if (unit.state === 'running') return { state: 'installing', since: unit.since, lastLine: unit.lastLine };
    const entry = await supply.find(kubernetesVersion);
    // The list and the script lie beside each other in a folder of their own and are gone afterwards: looking leaves nothing.
    const result = await machines.look(
      machine,
      {
        text: observeProgram,
        variables: { state, table: tableOf(entry, role, '', share) },
        input: await machineInstallScript(),
      },
      observePatience,
    );
    if (result.exitCode !== 0)
      throw new Transient(
        'PAYLOAD-041',
        `The payload on ${machine.name} cannot be looked at: ${result.stderr.trim()}`,
        {
          machine: machine.name,
        },
      );
    const missing = result.stdout.toString('utf8').split('\n').filter(Boolean);
    return missing.length === 0 ? { state: 'present' } : { state: 'absent', missing };
  }

  async install(
    machine: MachineRef,
    kubernetesVersion: string,
    role: PayloadRole,
    share: PayloadShare = 'whole',
  ): Promise<void> {
    const { units, machines, supply, work, file } = this.#options;
    const entry = await supply.find(kubernetesVersion);
    const address = await machines.reach(machine);
    const holder = holderOf(machine, work.key.operation);
    const list = `${folder}/${entry.digest.slice(0, 16)}-${role}${share === 'beside' ? '-beside' : ''}.list`;
    const config = `${folder}/curl.conf`;
    const command = {
      label,
      title: `installing ${entry.manifest.name}`,
      text: `exec /bin/bash ${script} install ${list} ${state} ${config}\n`,
    };
    // A unit that runs has its own list and token; it is attached to as it is.
    if ((await units.observe(machine, label)).state !== 'running') {
      const { base, authority, token } = await supply.open(entry, address, holder, role);
      work.hide(token);
      await file.write(machine, [
        { path: script, content: await machineInstallScript(), mode: 0o755 },
        { path: list, content: tableOf(entry, role, base, share), mode: 0o644 },
        { path: `${folder}/authority.pem`, content: authority, mode: 0o644 },
        { path: config, content: curlConfig(token, `${folder}/authority.pem`), mode: 0o600 },
      ]);
    }
    try {
      await units.run(machine, command);
    } finally {
      await supply.close(address, holder);
    }
  }

  text(kubernetesVersion: string, path: string): Promise<string> {
    return this.#options.supply.text(kubernetesVersion, path);
  }
}

/** Every machine gets the images of all add-ons: where their pods will run is the scheduler's choice. */
function tableOf(
  { manifest, digest }: CatalogueEntry,
  role: PayloadRole,
  base: string,
  share: PayloadShare,
): string {
  const addons = manifest.images.flatMap(({ for: use }) => (use.startsWith('addon:') ? [use.slice(6)] : []));
  const whole = installList(manifest, digest, role, [...new Set(addons)]);
  if (share === 'whole') return installTable(whole, base);
  const kubeadm = whole.files.filter((file) => file.role === 'kubeadm');
  const install = kubeadmBeside(manifest.kubernetes);
  return installTable({ ...whole, files: kubeadm.map((file) => ({ ...file, install })) }, base);
}

const observeProgram = `
folder=$(mktemp -d /tmp/remuda-observe.XXXXXX) || exit 1
trap 'rm -rf "$folder"' EXIT
cat > "$folder/machine-install"; printf %s "$table" > "$folder/list"
/bin/bash "$folder/machine-install" observe "$folder/list" "$state"
`;
