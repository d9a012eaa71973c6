import type { HookPort } from '../../../provisioners/contract/hooks.ts';
import type { FilePort } from '../../../provisioners/contract/ports/file.ts';
import type { HostPort } from '../../../provisioners/contract/ports/host.ts';
import type { KubeadmPort } from '../../../provisioners/contract/ports/kubeadm.ts';
import type { PayloadPort } from '../../../provisioners/contract/ports/payload.ts';
import type { ServicePort } from '../../../provisioners/contract/ports/service.ts';
import { Transient } from '../../../provisioners/contract/problem.ts';
import { seconds } from '../../../provisioners/contract/time.ts';
import type { Door } from './door.ts';

/** HostPort over the model. */
export const hostPort = (door: Door): HostPort => ({
  reach: async (machine) => {
    await door.call('host.reach', { machine });
  },
  facts: (machine) => door.call('host.facts', { machine }),
  probe: (machine, addresses) => door.call('host.probe', { machine, addresses }),
  measureDisk: (machine, path) => door.call('host.measureDisk', { machine, path }),
  generateHostKey: (machine) => door.call('host.generateHostKey', { machine }),
  replaceHostKey: async (machine, publicKey) => {
    await door.call('host.replaceHostKey', { machine, publicKey });
  },
  hostKeyAt: (address) => door.call('host.hostKeyAt', { address }),
  admits: (machine, publicKey) => door.call('host.admits', { machine, publicKey }),
  admit: async (machine, grant) => {
    await door.call('host.admit', { machine, grant });
  },
  configure: (machine, settings) => door.call('host.configure', { machine, settings }),
  inspect: (machine, settings) => door.call('host.inspect', { machine, settings }),
  certificates: (machine, authorities) =>
    door.call('host.certificates', { machine, ...(authorities === undefined ? {} : { authorities }) }),
  components: (machine, asked) => door.call('host.components', { machine, asked }),
  restartComponent: async (machine, component) => {
    await door.call('host.restartComponent', { machine, component });
  },
});

/** FilePort over the model. */
export const filePort = (door: Door): FilePort => ({
  differ: (machine, files) => door.call('file.differ', { machine, files }),
  write: async (machine, files) => {
    await door.call('file.write', { machine, files });
  },
  read: async (machine, path) => (await door.call('file.read', { machine, path })) ?? undefined,
  exist: async (machine, paths) => new Set(await door.call('file.exist', { machine, paths })),
  remove: async (machine, paths) => {
    await door.call('file.remove', { machine, paths });
  },
});

/** ServicePort over the model. */
export const servicePort = (door: Door): ServicePort => ({
  state: (machine, units) => door.call('service.state', { machine, units }),
  start: async (machine, unit) => {
    await door.call('service.start', { machine, unit });
  },
  restart: async (machine, unit) => {
    await door.call('service.restart', { machine, unit });
  },
  reload: async (machine, unit) => {
    await door.call('service.reload', { machine, unit });
  },
  stop: async (machine, unit) => {
    await door.call('service.stop', { machine, unit });
  },
  journal: (machine, unit, lines) => door.call('service.journal', { machine, unit, lines }),
});

/** PayloadPort over the model; `install` starts a unit, or attaches to the one that runs, and waits for its end. */
export const payloadPort = (door: Door): PayloadPort => ({
  summary: (version) => door.call('payload.summary', { version }),
  observe: (machine, version, role, share = 'whole') =>
    door.call('payload.observe', { machine, version, role, share }),
  install: async (machine, version, role, share = 'whole') => {
    await door.call('payload.start', { machine, version, role, share });
    for (;;) {
      await door.sleep(seconds(1));
      const now = await door.call('payload.observe', { machine, version, role, share });
      if (now.state === 'present') return;
      if (now.state === 'absent')
        throw new Transient(
          'PAYLOAD-002',
          `The payload did not arrive whole on ${machine.name}: ${now.missing.join(', ')}`,
          {
            machine: machine.name,
          },
        );
    }
  },
  text: (version, path) => door.call('payload.text', { version, path }),
});

/** HookPort over the model; `run` starts a script, or attaches to this step's running one, and waits for its end. */
export const hookPort = (door: Door): HookPort => ({
  look: (machine) => door.call('hook.look', { machine }),
  run: async (machine, script) => {
    await door.call('hook.start', { machine, script });
    for (;;) {
      await door.sleep(seconds(1));
      if ((await door.call('hook.look', { machine })).state !== 'running') return;
    }
  },
  send: async (message) => {
    await door.call('hook.send', { message });
  },
});

/** KubeadmPort over the model; `run` starts a unit, or attaches to this step's running one, and waits for its end. */
export const kubeadmPort = (door: Door, log: (text: string, machine?: string) => void): KubeadmPort => ({
  observe: (machine, verb) => door.call('kubeadm.observe', { machine, verb }),
  run: async (machine, command, whileRunning) => {
    await door.call('kubeadm.start', { machine, command });
    let told = 0;
    for (;;) {
      await door.sleep(seconds(3));
      const now = await door.call('kubeadm.observe', { machine, verb: command.verb });
      const lines = await door.call('kubeadm.lines', { machine, verb: command.verb, from: told });
      for (const line of lines) log(line, machine.name);
      told += lines.length;
      if (now.state === 'absent')
        throw new Transient('UNIT-003', `kubeadm ${command.verb} is gone from ${machine.name}`, {
          machine: machine.name,
        });
      if (now.state === 'ended' && now.exitCode === 0) return;
      if (now.state === 'ended')
        throw new Transient(
          'UNIT-004',
          `kubeadm ${command.verb} ended with ${now.exitCode} on ${machine.name}`,
          {
            machine: machine.name,
            lastLines: now.lastLines,
          },
        );
      await whileRunning?.();
    }
  },
});
