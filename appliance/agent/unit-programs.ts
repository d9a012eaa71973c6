/**
 * The three programs that keep commands on a machine. Each unit has a folder /var/lib/remuda/units/NAME with `program`,
 * `output`, `started` (seconds since the epoch), and at the end `exit`. A folder without `exit` whose unit systemd does
 * not know any more was cut off by a reboot or a kill.
 */

/** Defines `settle NAME`: prints running or ended, after writing down the end of one that was cut off. */
const settle = String.raw`
units=/var/lib/remuda/units
settle() {
  [ -e "$units/$1/exit" ] && { echo ended; return; }
  # Loaded and not over, in systemd's own words; a unit that was collected is "inactive".
  case "$(systemctl show --property=ActiveState --value "$1.service")" in
    active|activating|deactivating|reloading) echo running; return ;;
  esac
  # It may have ended between the two looks.
  [ -e "$units/$1/exit" ] && { echo ended; return; }
  echo "remuda: the command was cut off (a reboot or a kill); it had no chance to end" >> "$units/$1/output"
  echo 255 > "$units/$1/exit.new"; mv "$units/$1/exit.new" "$units/$1/exit"
  echo ended
}
newest() { ls -1dt "$units/$prefix"* 2>/dev/null | head -n 1; }
`;

/** Prints the name of the newest unit whose name begins with $prefix; nothing when there is none. */
export const lookForUnit = `${settle}
# Not while one is being started: its folder is there a moment before its unit.
mkdir -p /run/remuda; exec 9>/run/remuda/start.lock; flock 9
folder=$(newest); [ -n "$folder" ] && echo "\${folder##*/}"
exit 0
`;

/**
 * Starts the program on standard input as unit $name-tN, unless one that begins with $prefix runs: then it says so.
 * Prints "attached NAME" or "started NAME". Everything of it happens under one lock.
 */
export const startUnit = String.raw`${settle}
umask 077
mkdir -p "$units" /run/remuda
exec 9>/run/remuda/start.lock; flock 9
for folder in "$units/$prefix"*; do
  [ -d "$folder" ] || continue
  if [ "$(settle "$(basename "$folder")")" = running ]; then echo "attached $(basename "$folder")"; exit 0; fi
done
# Output that nobody needs any more: the newest two hundred are kept.
ls -1dt "$units"/*/ 2>/dev/null | tail -n +201 | while read -r old; do [ -e "$old/exit" ] && rm -rf -- "$old"; done
try=1; while ! mkdir "$units/$name-t$try" 2>/dev/null; do try=$((try + 1)); [ $try -lt 1000 ] || exit 1; done
folder="$units/$name-t$try"
cat > "$folder/program"
date +%s > "$folder/started"
: > "$folder/output"
cat > "$folder/run" <<'RUN'
folder=$1
exec 8>/run/remuda/machine.lock
if ! flock -n 8; then echo "remuda: waiting for another command of Remuda on this machine to end"; flock 8; fi
/bin/bash "$folder/program" 8>&-
status=$?
sync "$folder/output"
echo $status > "$folder/exit.new"; sync "$folder/exit.new"; mv "$folder/exit.new" "$folder/exit"
RUN
sync "$folder/program" "$folder/run"
systemd-run --quiet --unit="$name-t$try" --description="Remuda: $title" --collect \
  --property=Type=exec --property=KillMode=control-group --property=OOMPolicy=continue \
  --property=StandardOutput="append:$folder/output" --property=StandardError="append:$folder/output" \
  --setenv=PATH="$PATH" --setenv=HOME=/root --setenv=LC_ALL=C \
  /bin/bash "$folder/run" "$folder" 9>&- || { rm -rf -- "$folder"; exit 1; }
echo "started $name-t$try"
`;

/**
 * Prints the state of unit $name and its output from byte $offset: a line "STATE EXIT SINCE SIZE TAILBYTES", the last
 * lines, the output. Waits up to $turns fifths of a second for something new. Prints nothing when there is no such unit.
 */
export const followUnit = String.raw`${settle}
folder="$units/$name"
[ -d "$folder" ] || exit 0
state=$(settle "$name")
while [ "$state" = running ] && [ "$turns" -gt 0 ] && [ "$(stat -c %s "$folder/output")" -le "$offset" ]; do
  sleep 0.2; turns=$((turns - 1))
  if [ -e "$folder/exit" ]; then state=ended; fi
done
[ "$state" = running ] && state=$(settle "$name")
size=$(stat -c %s "$folder/output")
exit=$(cat "$folder/exit" 2>/dev/null || echo 0)
tail=$(head -c "$size" "$folder/output" | tail -n 20 | tail -c 8192 | tr -d '\0')
echo "$state $exit $(cat "$folder/started") $size $(printf %s "$tail" | wc -c)"
printf %s "$tail"
[ "$size" -gt "$offset" ] && tail -c +$((offset + 1)) "$folder/output" | head -c $((size - offset < 262144 ? size - offset : 262144))
exit 0
`;
