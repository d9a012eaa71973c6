import type { MachineRef } from '../../../provisioners/contract/machine.ts';
import type { ServicePort, ServiceState } from '../../../provisioners/contract/ports/service.ts';
import { stripControlCodes } from '../redaction.ts';
import type { Machines } from '../machines.ts';

/** systemd services on a machine. */
export function createServicePort(machines: Machines): ServicePort {
  const act = (machine: MachineRef, what: string, text: string, unit: string): Promise<string> =>
    machines.make(machine, what, { text, variables: { unit } }, 120_000);
  return {
    async state(machine, units) {
      if (units.length === 0) return [];
      const output = await machines.ask(machine, 'looking at services', {
        text: stateProgram,
        variables: { units: units.join(' ') },
      });
      const blocks = output.split('@@\n');
      return units.map((unit, index) => stateOf(unit, blocks[index] ?? ''));
    },
    async start(machine, unit) {
      await act(machine, `starting ${unit}`, startProgram, unit);
    },
    async restart(machine, unit) {
      await act(
        machine,
        `restarting ${unit}`,
        'systemctl daemon-reload && systemctl restart -- "$unit"',
        unit,
      );
    },
    async reload(machine, unit) {
      const program = 'systemctl daemon-reload && systemctl reload-or-restart -- "$unit"';
      await act(machine, `reloading ${unit}`, program, unit);
    },
    async stop(machine, unit) {
      await act(machine, `stopping ${unit}`, stopProgram, unit);
    },
    async journal(machine, unit, lines) {
      const output = await machines.ask(machine, `reading the journal of ${unit}`, {
        text: 'journalctl --no-pager --output=cat --lines="$lines" --unit="$unit"',
        variables: { unit, lines: `${lines}` },
      });
      return stripped(output);
    },
  };
}

const stateProgram = `
for unit in $units; do
  systemctl show --property=LoadState,ActiveState,SubState,Result,UnitFileState,StateChangeTimestamp --timestamp=unix -- "$unit"
  echo @@
done
`;

/** One reload for new files and new links together. */
const startProgram = `
systemctl enable --quiet --no-reload -- "$unit" || exit 1
systemctl daemon-reload
systemctl reset-failed -- "$unit" 2>/dev/null
systemctl start -- "$unit"
`;

const stopProgram = `
[ "$(systemctl show --property=LoadState --value -- "$unit")" = not-found ] && exit 0
systemctl disable --quiet -- "$unit"
systemctl stop -- "$unit"
`;

function stateOf(unit: string, block: string): ServiceState {
  const properties = Object.fromEntries(
    block
      .trim()
      .split('\n')
      .map((line): [string, string] => {
        const at = line.indexOf('=');
        return [line.slice(0, at), line.slice(at + 1)];
      }),
  );
  const { LoadState: load, ActiveState: active, SubState: sub, Result: result } = properties;
  const since = Number((properties['StateChangeTimestamp'] ?? '').replace('@', ''));
  const detail = active === 'failed' ? `failed (${result})` : `${active} (${sub})`;
  return {
    unit,
    active: active === 'active',
    enabled: ['enabled', 'enabled-runtime', 'static', 'alias'].includes(properties['UnitFileState'] ?? ''),
    detail: load === 'not-found' ? 'not-found' : detail,
    ...(since > 0 ? { since: new Date(since * 1000).toISOString() } : {}),
  };
}

/** Lines without control codes and without empty ones at the end. */
function stripped(output: string): readonly string[] {
  const lines = output.trimEnd().split('\n');
  return lines.length === 1 && lines[0] === '' ? [] : lines.map(stripControlCodes);
}
