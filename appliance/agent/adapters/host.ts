import { setTimeout as sleep } from 'node:timers/promises';
import type { MachineRef } from '../../../provisioners/contract/machine.ts';
import type {
  HostPort,
  HostSettings,
  MachineCertificate,
} from '../../../provisioners/contract/ports/host.ts';
import { ownHostKeyPath } from '../../../provisioners/contract/ports/host.ts';
import type { HostFacts, Reach } from '../../../provisioners/contract/preflight.ts';
import { Transient } from '../../../provisioners/contract/problem.ts';
import type { ClientCertificates } from '../client-certificates.ts';
import type { Machines } from '../machines.ts';
import { createAdmission } from './admission.ts';
import { certificatesProgram, parseCertificates } from './certificates.ts';
import { createComponents } from './components.ts';
import { factsProgram, parseFacts } from './host-facts.ts';
import {
  configureProgram,
  generateHostKeyProgram,
  inspectProgram,
  measureProgram,
  probeProgram,
  replaceHostKeyProgram,
} from './host-programs.ts';

/** A machine as such. */
export function createHostPort(machines: Machines, identities: ClientCertificates): HostPort {
  return {
    ...createComponents(machines, identities),
    ...createAdmission(machines),
    async reach(machine) {
      await machines.reach(machine);
      // A connection that is open may still be a dead one: only an answer proves that somebody is there.
      await machines.ask(machine, 'greeting', { text: ':' }, 15_000);
    },
    facts: (machine) => facts(machines, machine),
    async probe(machine, addresses) {
      if (addresses.length === 0) return [];
      const variables = { addresses: addresses.join(' ') };
      const output = await machines.ask(machine, 'probing', { text: probeProgram, variables }, 60_000);
      const found = new Map(
        output
          .trim()
          .split('\n')
          .map((line) => line.split(' '))
          .map(([to = '', mtu = '0', near]) => [to, { mtu: Number(mtu), isNear: near === 'near' }]),
      );
      return addresses.map((to): Reach => {
        const { mtu, isNear } = found.get(to) ?? { mtu: 0, isNear: false };
        return { to, reachable: mtu > 0, mtu, ...(isNear ? { neighbour: true } : {}) };
      });
    },
    async measureDisk(machine, path) {
      const output = await machines.ask(machine, 'measuring the disk', {
        text: measureProgram,
        variables: { path },
      });
      const milliseconds = output
        .trim()
        .split('\n')
        .map(Number)
        .sort((a, b) => a - b);
      const at = Math.min(milliseconds.length - 1, Math.ceil(milliseconds.length * 0.99) - 1);
      return { fsyncP99: milliseconds[at] ?? Number.POSITIVE_INFINITY, samples: milliseconds.length };
    },
    async generateHostKey(machine) {
      const output = await machines.make(machine, 'making a host key', {
        text: generateHostKeyProgram,
        variables: { path: ownHostKeyPath },
      });
      return output.trim().split(/\s+/u).slice(0, 2).join(' ');
    },
    replaceHostKey: (machine, publicKey) => replaceHostKey(machines, machine, publicKey),
    async configure(machine, settings) {
      const variables = variablesOf(settings);
      const text = `${inspectProgram}\n${configureProgram}`;
      return linesOf(await machines.make(machine, 'configuring', { text, variables }));
    },
    async inspect(machine, settings) {
      const variables = variablesOf(settings);
      return linesOf(await machines.ask(machine, 'inspecting', { text: inspectProgram, variables }));
    },
    certificates: (machine, authorities) => certificates(machines, machine, authorities),
  };
}

/** The clock is asked first and alone, so that its uncertainty is that of one small question. */
async function facts(machines: Machines, machine: MachineRef): Promise<HostFacts> {
  await machines.reach(machine);
  const before = Date.now();
  const clock = Number(await machines.ask(machine, 'reading the clock', { text: 'date +%s.%N' }));
  const after = Date.now();
  const reading = { clock, clockUncertainty: (after - before) / 2000, askedAt: (before + after) / 2000 };
  const output = await machines.ask(machine, 'gathering facts', { text: factsProgram });
  return parseFacts(output, reading);
}

async function certificates(
  machines: Machines,
  machine: MachineRef,
  authorities: readonly string[] = [],
): Promise<readonly MachineCertificate[]> {
  const what = 'reading the ends of certificates';
  return parseCertificates(
    await machines.ask(machine, what, { text: certificatesProgram }, 15_000),
    authorities,
  );
}

async function replaceHostKey(machines: Machines, machine: MachineRef, publicKey: string): Promise<void> {
  await machines.make(machine, 'replacing the host key', {
    text: replaceHostKeyProgram,
    variables: { path: ownHostKeyPath, publicKey },
  });
  const pinned = { ...machine, hostKeys: [publicKey] };
  await machines.drop(machine);
  // sshd takes a moment to read its configuration again.
  for (let tries = 0; ; tries += 1) {
    try {
      await machines.drop(pinned);
      await machines.reach(pinned);
      return;
    } catch (error) {
      if (tries >= 20)
        throw new Transient(
          'HOST-101',
          `${machine.name} does not show its own host key yet: ${String(error)}`,
          {
            machine: machine.name,
          },
        );
      await sleep(250);
    }
  }
}

function variablesOf(settings: HostSettings): Record<string, string> {
  return {
    hostname: settings.hostname,
    modules: settings.modules.join(' '),
    sysctls: Object.entries(settings.sysctls)
      .map(([name, value]) => `${name} = ${value}`)
      .join('\n'),
    hosts: Object.entries(settings.hosts)
      .map(([address, names]) => `${address} ${names.join(' ')}`)
      .join('\n'),
  };
}

const linesOf = (output: string): string[] => output.split('\n').filter((line) => line !== '');
