import type { MachineRef } from '../../../provisioners/contract/machine.ts';
import { Problem } from '../../../provisioners/contract/problem.ts';
import type { Json } from '../../../provisioners/contract/json.ts';
import type { Observation, Step, StepContext } from '../../../provisioners/contract/step.ts';
import type { ClusterSettings } from '../../../provisioners/kubernetes/cluster-settings.ts';
import { apiServerConfigure } from '../../../provisioners/kubernetes/steps/api-server-configure.ts';
import { containerdStart } from '../../../provisioners/kubernetes/steps/containerd-start.ts';
import { controlPlaneInit } from '../../../provisioners/kubernetes/steps/control-plane-init.ts';
import { controlPlaneJoin } from '../../../provisioners/kubernetes/steps/control-plane-join.ts';
import { endpointConfigure } from '../../../provisioners/kubernetes/steps/endpoint-configure.ts';
import { kubeletInstall } from '../../../provisioners/kubernetes/steps/kubelet-install.ts';
import { machineConfigure } from '../../../provisioners/kubernetes/steps/machine-configure.ts';
import { payloadInstall } from '../../../provisioners/kubernetes/steps/payload-install.ts';
import { pkiInstall } from '../../../provisioners/kubernetes/steps/pki-install.ts';
import { bootLabBench, type LabBench } from '../contract-bench.ts';

const kubernetesVersion = 'v1.20.2';
const role = 'control-plane';
const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Real masters of one cluster behind a virtual address, made by the steps themselves, without a daemon. */
export class LabMasters {
  readonly bench: LabBench;
  readonly settings: ClusterSettings;

  constructor(bench: LabBench) {
    this.bench = bench;
    this.settings = {
      name: 'certificates',
      kubernetesVersion,
      podCidr: '10.244.0.0/16',
      serviceCidr: '10.96.0.0/12',
      serviceDomain: 'cluster.local',
      // The lab's last address but four is given to nobody.
      endpoint: { host: bench.machine.address.replace(/\d+$/u, '250'), port: 6443 },
      apiPort: 6444,
      certSANs: [],
      extraArgs: { apiServer: {}, controllerManager: {}, scheduler: {}, etcd: {}, kubelet: {} },
      patches: [],
    };
  }

  /** Boots the machines and makes masters of them, one after another. */
  static async start(names: readonly string[]): Promise<LabMasters> {
    const masters = new LabMasters(await bootLabBench(names));
    try {
      await masters.#make();
    } catch (error) {
      await masters.stop();
      throw error;
    }
    return masters;
  }

  get machines(): readonly MachineRef[] {
    return this.bench.machines;
  }

  get access() {
    return { masters: [...this.machines], apiPort: this.settings.apiPort };
  }

  /** What a step gets, over the real ports. */
  context(step: string, attempt: number): StepContext {
    return {
      ...this.bench.ports({ step, attempt }),
      cluster: this.bench.context.cluster,
      operation: 'op',
      step,
      attempt,
      key: `op/${step}`,
      signal: new AbortController().signal,
      now: () => new Date().toISOString(),
      sleep: pause,
      log: () => {},
      progress: () => {},
      waiting: () => {},
    };
  }

  /** The step loop in small: looks, applies, looks again until it is done; what may pass is tried again. */
  async perform<Input, Facts extends Json>(
    step: Step<Input, Facts>,
    about: string,
    input: Input,
  ): Promise<Observation<Facts>> {
    for (let attempt = 1; ; attempt += 1) {
      const context = this.context(`${step.kind}/${about}`, attempt);
      try {
        const seen = await step.observe(context, input);
        if (seen.state === 'done' || attempt > 120) return seen;
        if (seen.state === 'todo' || seen.state === 'broken') await step.apply(context, input);
      } catch (error) {
        if (!(error instanceof Problem) || attempt > 120) throw error;
      }
      await pause(1000);
    }
  }

  async #make(): Promise<void> {
    const { settings, machines } = this;
    for (const machine of machines) await this.#prepare(machine);
    const joined: MachineRef[] = [];
    for (const machine of machines) {
      const { name } = machine;
      if (joined.length === 0)
        await this.perform(controlPlaneInit, name, { machine, settings, others: machines.slice(1) });
      else {
        const access = { masters: [...joined], apiPort: settings.apiPort };
        await this.perform(controlPlaneJoin, name, { machine, settings, access });
      }
      joined.push(machine);
    }
  }

  async #prepare(machine: MachineRef): Promise<void> {
    const { name } = machine;
    const { endpoint, apiPort } = this.settings;
    const masters = this.machines.map((each) => ({ name: each.name, address: each.address }));
    await this.perform(machineConfigure, name, { machine, role });
    await this.perform(payloadInstall, name, { machine, kubernetesVersion, role });
    await this.perform(kubeletInstall, name, { machine, kubernetesVersion });
    await this.perform(containerdStart, name, { machine, kubernetesVersion });
    await this.perform(endpointConfigure, name, { machine, masters, endpoint, apiPort });
    await this.perform(pkiInstall, name, { machine });
    await this.perform(apiServerConfigure, name, { machine, kubernetesVersion });
  }

  stop(): Promise<void> {
    return this.bench.stop();
  }
}
