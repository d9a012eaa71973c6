/** Shell programs of the host port. Variables are set before they start; see ssh/program.ts. */

/** For each of $addresses: the address and the largest unfragmented IPv4 packet that came back, 0 = none. */
export const probeProgram = `
probe() {
  best=0
  # Payload plus 28 bytes of headers: minimum of IPv4, PPPoE and tunnels, Ethernet, jumbo frames.
  for size in 548 1372 1422 1452 1472 8972; do
    ping -n -q -c 1 -W 1 -M do -s "$size" "$1" > /dev/null 2>&1 && best=$((size + 28)) || break
  done
  # Whoever drops pings still answers for its address on the link.
  near=; [ "$best" != 0 ] || [ -z "$(ip -4 neigh show to "$1" nud reachable 2>/dev/null)" ] || near=near
  echo "$1 $best $near"
}
for address in $addresses; do probe "$address" & done
wait
`;

/**
 * Two hundred writes of 2300 bytes with a sync after each, or as many as ten seconds allow: the load that etcd's
 * documentation measures disks with (https://etcd.io/docs/v3.5/op-guide/hardware/#disks). Prints milliseconds, a line
 * each.
 */
export const measureProgram = `
while [ ! -d "$path" ]; do path=$(dirname "$path"); done
file=$(mktemp "$path/.remuda-disk.XXXXXX") || exit 1
trap 'rm -f "$file"' EXIT
perl -MTime::HiRes=time -MIO::Handle -e '
  open(my $file, ">", $ARGV[0]) or die "cannot write: $!"; $file->autoflush(1);
  my $end = time + 10;
  for (1 .. 200) {
    last if time > $end;
    my $begin = time;
    print $file "x" x 2300; $file->sync or die "cannot sync: $!";
    printf "%.3f\\n", (time - $begin) * 1000;
  }' "$file"
`;

export const generateHostKeyProgram = `
set -e
if [ ! -s "$path" ] || [ ! -s "$path.pub" ]; then
  rm -f "$path" "$path.pub" "$path.new" "$path.new.pub"
  ssh-keygen -q -t ed25519 -N '' -C '' -f "$path.new"
  sync "$path.new" "$path.new.pub"
  # The public half last: whoever sees it may rely on the key.
  mv "$path.new" "$path"; mv "$path.new.pub" "$path.pub"; sync "$(dirname "$path")"
fi
cat "$path.pub"
`;

/**
 * Leaves sshd one HostKey: the lines of others become comments, ours stands in a file of its own (or, where sshd reads
 * no such folder, at the top). Undone when sshd would not start with it.
 */
export const replaceHostKeyProgram = `
set -e
[ "$(cut -d' ' -f1,2 "$path.pub")" = "$publicKey" ] || { echo "the key in $path.pub is another one" >&2; exit 1; }
folder=/etc/ssh/sshd_config.d; own="$folder/00-remuda-host-key.conf"; main=/etc/ssh/sshd_config
saved=$(mktemp -d /etc/ssh/.remuda-saved.XXXXXX); trap 'rm -rf "$saved"' EXIT
cp -a "$main" "$saved/main"; mkdir -p "$folder"; cp -a "$folder" "$saved/folder"
for file in "$main" "$folder"/*.conf; do
  [ -e "$file" ] && [ "$file" != "$own" ] && sed -i -E 's/^[[:space:]]*HostKey[[:space:]]/#&/I' "$file"
done
if grep -qiE '^[[:space:]]*Include[[:space:]]+/etc/ssh/sshd_config.d/' "$main"; then echo "HostKey $path" > "$own"
else sed -i "1i HostKey $path" "$main"; fi
mkdir -p /run/sshd
if ! sshd -t; then
  cp -a "$saved/main" "$main"; rm -rf "$folder"; cp -a "$saved/folder" "$folder"
  exit 1
fi
sync /etc/ssh
for unit in ssh sshd; do systemctl is-active --quiet "$unit" && systemctl reload "$unit"; done
exit 0
`;

/** Prints a line for each setting that is not so. */
export const inspectProgram = `
[ "$(hostname)" = "$hostname" ] || echo "the host name is $(hostname), not $hostname"
[ "$(cat /etc/hostname 2>/dev/null)" = "$hostname" ] || echo "/etc/hostname does not say $hostname"
loaded() {
  [ -d "/sys/module/$1" ] && return 0
  # Built into the kernel, a module shows only by what it brings.
  case $1 in overlay) grep -qw overlay /proc/filesystems ;; br_netfilter) [ -e /proc/sys/net/bridge ] ;; *) return 1 ;; esac
}
for module in $modules; do loaded "$module" || echo "the kernel module $module is not loaded"; done
printf '%s\\n' $modules | cmp -s - /etc/modules-load.d/remuda.conf || echo "/etc/modules-load.d/remuda.conf is another"
while IFS= read -r line; do
  [ -n "$line" ] || continue
  key=\${line%% = *}; want=\${line#* = }; have=$(sysctl -n "$key" 2>&1 | tr -s '[:space:]' ' ' | sed 's/ $//')
  [ "$have" = "$want" ] || echo "$key is $have, not $want"
done <<< "$sysctls"
printf '%s\\n' "$sysctls" | cmp -s - /etc/sysctl.d/90-remuda.conf || echo "/etc/sysctl.d/90-remuda.conf is another"
block() { sed -n '/^# remuda: begin$/,/^# remuda: end$/p' /etc/hosts | sed '1d;$d'; }
[ "$(block)" = "$hosts" ] || echo "our lines in /etc/hosts are others"
`;

/** Makes the settings so. What inspect printed before is what this changes. */
export const configureProgram = `
set -e
put() { mkdir -p "$(dirname "$1")"; cat > "$1.remuda-new"; chmod 0644 "$1.remuda-new"; sync "$1.remuda-new"; mv "$1.remuda-new" "$1"; }
printf '%s\\n' "$hostname" | put /etc/hostname
[ "$(hostname)" = "$hostname" ] || hostname "$hostname"
printf '%s\\n' $modules | put /etc/modules-load.d/remuda.conf
for module in $modules; do loaded "$module" || modprobe "$module"; done
printf '%s\\n' "$sysctls" | put /etc/sysctl.d/90-remuda.conf
while IFS= read -r line; do
  [ -n "$line" ] || continue
  key=\${line%% = *}; want=\${line#* = }
  # What is so already is left alone: some values can be read and not written (containers).
  [ "$(sysctl -n "$key" 2>/dev/null | tr -s '[:space:]' ' ' | sed 's/ $//')" = "$want" ] || sysctl -q -w "$key=$want"
done <<< "$sysctls"
# /etc/hosts may be a mount of its own: written in place then.
new=$(sed '/^# remuda: begin$/,/^# remuda: end$/d' /etc/hosts; echo '# remuda: begin'; [ -z "$hosts" ] || printf '%s\\n' "$hosts"; echo '# remuda: end')
if ! { printf '%s\\n' "$new" | put /etc/hosts; } 2>/dev/null; then printf '%s\\n' "$new" > /etc/hosts; rm -f /etc/hosts.remuda-new; fi
`;
