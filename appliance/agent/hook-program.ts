import type { HookScript } from '../../provisioners/contract/hooks.ts';
import { quote } from './ssh/program.ts';

/** What the last line of a script begins with that was stopped by its timeout. */
export const timedOutLine = 'remuda: stopped after';

/** Bytes of a hook's output that are kept and told; what it prints beyond that is thrown away. */
const longestOutput = 256 * 1024;

/** Time from the request to end until everything of it is ended, in seconds. */
const grace = 10;

/**
 * Runs "$0", the script, and lets no more of its output through than is told: line by line, so that people see how far it
 * is; lines without an end are broken. With `#!` it is a program of its own. Its end is that of all that still write to
 * its output.
 */
const runner = `
# A request to end is for the script; this is left only when it has ended, or when everything is ended.
trap : TERM
if [ "$(head -c 2 "$0")" = "#!" ]; then run=("$0"); else run=(/bin/bash --norc --noprofile "$0"); fi
"\${run[@]}" 2>&1 </dev/null | {
  trap "" TERM
  told=0
  while IFS= read -r -n 4096 line || [ -n "$line" ]; do
    told=$((told + \${#line} + 1))
    if [ "$told" -gt ${longestOutput} ]; then
      echo "remuda: more output than ${longestOutput} bytes: the rest is left out"
      cat >/dev/null
      break
    fi
    printf '%s\\n' "$line"
  done
}
exit "\${PIPESTATUS[0]}"
`;

/**
 * The program of the unit that runs a script: in a clean environment, and stopped on the machine itself when its time is
 * over, whoever looks on. What has escaped by then goes with the unit (KillMode=control-group).
 */
export function hookProgram({ text, environment, timeout }: HookScript): string {
  const limit = Math.max(1, Math.round(timeout / 1000));
  const known = {
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: '/root',
    LC_ALL: 'C',
    ...environment,
  };
  const words = Object.entries(known).map(([name, value]) => quote(`${name}=${value}`));
  return `script="$(dirname "$0")/hook"
umask 077
printf %s ${quote(Buffer.from(text).toString('base64'))} | base64 -d > "$script" || exit 1
chmod 0700 "$script"
cd /
begun=$SECONDS
# What this shell would say of a child that was killed is nobody's.
exec 3>&2 2>/dev/null
timeout --kill-after=${grace} ${limit} env -i ${words.join(' ')} /bin/bash --norc --noprofile -c ${quote(runner)} "$script" </dev/null 2>&3 3>&-
status=$?
rm -f -- "$script"
if { [ "$status" = 124 ] || [ "$status" = 137 ]; } && [ $((SECONDS - begun)) -ge ${limit} ]; then
  echo "${timedOutLine} ${limit} s, its timeout"
  exit 124
fi
exit "$status"
`;
}
