import { kubeadmBeside } from '../../../provisioners/contract/ports/payload.ts';
import type { KubeadmCommand, KubeadmPort } from '../../../provisioners/contract/ports/kubeadm.ts';
import { quote } from '../ssh/program.ts';
import type { Units } from '../units.ts';

/** kubeadm on a machine, as a transient unit. */
export function createKubeadmPort(units: Pick<Units, 'observe' | 'run'>): KubeadmPort {
  return {
    observe: (machine, verb) => units.observe(machine, labelOf(verb)),
    run: (machine, command, whileRunning) => {
      const commands = commandsOf(command).map((words) => words.map(quote).join(' '));
      return units.run(
        machine,
        {
          label: labelOf(command.verb),
          title: commands.join(' && '),
          text: `${commands
            .slice(0, -1)
            .map((line) => `${line} || exit\n`)
            .join('')}exec ${commands.at(-1) ?? ''}\n`,
        },
        whileRunning,
      );
    },
  };
}

const labelOf = (verb: KubeadmCommand['verb']): string => `kubeadm-${verb}`;

/** The command lines, one after the other. Secrets stand in the config file on the machine, never here. */
function commandsOf(command: KubeadmCommand): readonly string[][] {
  if (command.verb !== 'phases') return [wordsOf(command)];
  const { config, phases } = command;
  return phases.map((phase) => ['kubeadm', 'init', 'phase', ...phase.split(' '), `--config=${config}`]);
}

function wordsOf(command: Exclude<KubeadmCommand, { verb: 'phases' }>): string[] {
  // etcd's members are Remuda's to change, by its own rule; and where the member is gone already, kubeadm asks for it for
  // ten minutes (1.20: cmd/phases/reset/removeetcdmember.go). With the phase it leaves etcd's data.
  if (command.verb === 'reset') return ['kubeadm', 'reset', '--force', '--skip-phases=remove-etcd-member'];
  // `kubeadm certs` since 1.20, the oldest minor there is a row for; it was `kubeadm alpha certs` before.
  if (command.verb === 'renew') return ['kubeadm', 'certs', 'renew', 'all', `--config=${command.config}`];
  const list = (flag: string, values: readonly string[]): string[] =>
    values.length === 0 ? [] : [`--${flag}=${values.join(',')}`];
  // The same for every master, whichever goes first: what `upgrade apply` does beside, Remuda does by steps of its own.
  if (command.verb === 'upgrade')
    return [
      kubeadmBeside(command.kubernetesVersion),
      'upgrade',
      'node',
      ...list('ignore-preflight-errors', command.ignorePreflightErrors),
      ...(command.keepsCertificates === true ? ['--certificate-renewal=false'] : []),
    ];
  return [
    'kubeadm',
    command.verb,
    `--config=${command.config}`,
    ...list('skip-phases', command.skipPhases),
    ...list('ignore-preflight-errors', command.ignorePreflightErrors),
  ];
}
