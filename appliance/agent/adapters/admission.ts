import type { HostPort } from '../../../provisioners/contract/ports/host.ts';
import { Problem } from '../../../provisioners/contract/problem.ts';
import type { Machines } from '../machines.ts';
import { readHostKey } from '../ssh/host-key.ts';

/**
 * Puts $publicKey into authorized_keys of the user that is logged in, whole or not at all. With $locksOut other keys of
 * Remuda's for this cluster are taken out: they bear its comment. The epoch of whoever was here before counts no more:
 * another appliance counts its own.
 */
const admitProgram = `
set -e
home=$(getent passwd "$user" | cut -d: -f6); [ -n "$home" ] || { echo "there is no user $user" >&2; exit 1; }
mkdir -p "$home/.ssh"; file="$home/.ssh/authorized_keys"; touch "$file"
kind=\${publicKey%% *}; rest=\${publicKey#* }; key=\${rest%% *}; comment=\${rest#"$key"}; comment=\${comment# }
new="$file.remuda-new"
if [ "$locksOut" = yes ] && [ -n "$comment" ]; then
  awk -v comment=" $comment" 'length($0) < length(comment) || substr($0, length($0) - length(comment) + 1) != comment' "$file" > "$new"
else cp "$file" "$new"; fi
[ -z "$(tail -c1 "$new")" ] || echo >> "$new"
grep -qF "$kind $key" "$new" || printf '%s\\n' "$publicKey" >> "$new"
chown --reference="$home" "$new" "$home/.ssh"; chmod 0600 "$new"; sync "$new"; mv "$new" "$file"
mkdir -p /var/lib/remuda; printf '%s\\n' "$epoch" > /var/lib/remuda/epoch
`;

/** Getting into machines that do not know the cluster's key yet. */
export function createAdmission(
  machines: Machines,
): Required<Pick<HostPort, 'hostKeyAt' | 'admits' | 'admit'>> {
  return {
    hostKeyAt: (address, port, types) => readHostKey(address, port, types),
    async admits(machine) {
      // A connection that is open may be by another key.
      await machines.drop(machine);
      try {
        await machines.reach(machine);
        return true;
      } catch (error) {
        if (error instanceof Problem && error.report.code === 'SSH-003') return false;
        throw error;
      }
    },
    async admit(machine, { privateKey, publicKey, locksOut }) {
      await machines.drop(machine);
      const variables = {
        user: machine.user,
        publicKey,
        locksOut: locksOut ? 'yes' : 'no',
        epoch: `${machines.epoch}`,
      };
      try {
        await machines.by(privateKey).ask(machine, 'letting Remuda in', { text: admitProgram, variables });
      } finally {
        await machines.drop(machine);
      }
    },
  };
}
