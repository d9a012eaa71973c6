/**
 * The programs that work on the data of a stopped etcd member. Each begins with $data (where etcd keeps its data) and
 * $folder (of this restore). In $folder: `snapshot.db` as soon as it is whole; `etcd/member`, the data that was set
 * aside; `aside`, the sign that nothing is left to be set aside; `restored`, what became of it all.
 */

/** Prints what lies there, a word a line; nothing is changed. */
export const lookProgram = `
room() {
  local at=$1
  while [ ! -d "$at" ]; do at=$(dirname -- "$at"); done
  df --output=avail -B1 -- "$at" | tail -n 1
}
[ -e "$data/member" ] && echo data
[ -e "$folder/aside" ] && echo set-aside
[ -e "$folder/etcd/member" ] && echo aside
echo "size $(du -sb -- "$data/member" 2>/dev/null | cut -f1)"
echo "free $({ room "$data"; room "$folder"; } | sort -n | head -n 1)"
[ -e "$folder/snapshot.db" ] && echo "snapshot $(cat -- "$folder/snapshot.sha256" 2>/dev/null)"
[ -e "$folder/restored" ] && echo "restored $(cat -- "$folder/restored")"
exit 0
`;

/** Takes a piece of a snapshot on standard input, to stand from byte $offset on. */
export const takePieceProgram = `
set -e
umask 077
mkdir -p -m 700 -- "$folder"
[ "$offset" != 0 ] || rm -f -- "$folder/snapshot.part"
touch -- "$folder/snapshot.part"
truncate -s "$offset" -- "$folder/snapshot.part"
cat >> "$folder/snapshot.part"
`;

/** Counts the pieces as a snapshot, when all of them together have the SHA-256 $sha256. */
export const finishPiecesProgram = `
set -e
found=$(sha256sum < "$folder/snapshot.part" | cut -d' ' -f1)
[ "$found" = "$sha256" ] || { echo "what arrived has the SHA-256 $found instead of $sha256" >&2; exit 1; }
rm -f -- "$folder/snapshot.db"
printf %s "$sha256" > "$folder/snapshot.sha256"
sync -- "$folder/snapshot.part" "$folder/snapshot.sha256"
mv -T -- "$folder/snapshot.part" "$folder/snapshot.db"
sync -- "$folder"
`;

/**
 * Defines \`with_tool\`, which runs a command of etcd's own tool: etcdutl where there is one, else etcdctl, from the
 * machine itself, or out of the image from which etcd's static pod runs.
 */
const tool = String.raw`
image_folder=/run/remuda/etcd-image
image_of_etcd() {
  local manifest
  for manifest in "$folder/../manifests/etcd.yaml" /etc/kubernetes/manifests/etcd.yaml; do
    sed -n 's/^ *image: *//p' "$manifest" 2>/dev/null | tr -d \"\' | head -n 1
  done | grep . || ctr --namespace k8s.io images ls -q 2>/dev/null | grep -E '/etcd:' | head -n 1
}
leave_image() {
  [ -d "$image_folder" ] || return 0
  ctr --namespace k8s.io images unmount --rm "$image_folder" >/dev/null 2>&1 || umount "$image_folder" 2>/dev/null || :
  rmdir "$image_folder" 2>/dev/null || :
}
find_tool() {
  local name path image
  for name in etcdutl etcdctl; do
    path=$(command -v "$name") && { echo "$path"; return 0; }
  done
  image=$(image_of_etcd | head -n 1)
  [ -n "$image" ] || { echo "neither etcdutl nor etcdctl is on this machine, and no image of etcd" >&2; return 1; }
  leave_image
  mkdir -p "$image_folder"
  ctr --namespace k8s.io images mount "$image" "$image_folder" >/dev/null || return 1
  for name in etcdutl etcdctl; do
    for path in usr/local/bin usr/bin bin .; do
      [ -x "$image_folder/$path/$name" ] && { echo "$image_folder/$path/$name"; return 0; }
    done
  done
  echo "the image $image holds neither etcdutl nor etcdctl" >&2
  return 1
}
export ETCDCTL_API=3
trap leave_image EXIT
`;

/** Prints etcd's own words about the snapshot, as JSON. */
export const statusProgram = `${tool}
set -e
tool=$(find_tool)
"$tool" snapshot status "$folder/snapshot.db" --write-out=json
`;

/**
 * Moves the data aside. Where both folders are of one file system it is a rename; else a copy that counts when it is
 * whole, and only then is the original taken away.
 */
export const setAsideProgram = String.raw`
set -e
umask 077
[ ! -e "$folder/aside" ] || exit 0
mkdir -p -m 700 -- "$data" "$folder/etcd"
if [ -e "$data/member" ]; then
  rm -f -- "$folder/probe"; : > "$data/remuda-probe"
  if ln -- "$data/remuda-probe" "$folder/probe" 2>/dev/null && [ ! -e "$folder/etcd/member" ]; then
    mv -T -- "$data/member" "$folder/etcd/member"
  else
    if [ ! -e "$folder/etcd/member" ]; then
      rm -rf -- "$folder/etcd/copy"
      cp -a -- "$data/member" "$folder/etcd/copy"
      sync -f -- "$folder/etcd/copy"
      mv -T -- "$folder/etcd/copy" "$folder/etcd/member"
      sync -- "$folder/etcd"
    fi
    # A copy that is whole: what is left of the original was only its removal.
    rm -rf -- "$data/member"
  fi
  rm -f -- "$data/remuda-probe" "$folder/probe"
  sync -- "$data" "$folder/etcd"
elif [ ! -e "$folder/etcd/member" ]; then
  # What an earlier restore set aside and nothing came of: the newest.
  for former in $(ls -1td -- "$folder"/../*/etcd/member 2>/dev/null); do
    earlier=$(dirname -- "$(dirname -- "$former")")
    [ -e "$earlier/restored" ] && continue
    mv -T -- "$former" "$folder/etcd/member"
    sync -- "$folder/etcd"
    break
  done
fi
: > "$folder/aside"
sync -- "$folder/aside" "$folder"
echo "the former data of etcd lies in $folder/etcd"
`;

/**
 * Makes the data of a new cluster of one member out of $source (\`snapshot\`, or \`aside\`: a database that was cut out of
 * a stopped member, which bears no checksum). It lies beside its place until it is whole.
 */
export const restoreProgram = `${tool}
set -e
umask 077
[ ! -e "$folder/restored" ] || exit 0
[ -e "$folder/aside" ] || { echo "the former data was not set aside" >&2; exit 65; }
making="$data/remuda-restoring"
if [ -e "$data/member" ]; then
  # Nobody but this program puts data here once the former is set aside: it was cut off before its last line.
  { [ -e "$folder/restored.new" ] && [ ! -e "$making/member" ]; } || { echo "there is data that is not ours" >&2; exit 65; }
else
  tool=$(find_tool)
  rm -rf -- "$making" "$folder/restored.new"
  case "$source" in
    snapshot) from="$folder/snapshot.db"; check= ;;
    *) from="$folder/etcd/member/snap/db"; check=--skip-hash-check ;;
  esac
  bump=
  if "$tool" snapshot restore --help 2>&1 | grep -q -e --bump-revision; then bump="--bump-revision=1000000000 --mark-compacted"; fi
  "$tool" snapshot restore "$from" $check $bump --name="$name" --data-dir="$making" \\
    --initial-cluster="$name=$peer" --initial-advertise-peer-urls="$peer" --initial-cluster-token="remuda-$restore"
  status=$("$tool" snapshot status "$making/member/snap/db" --write-out=json)
  printf '{"at":"%s","isBumped":%s,"status":%s}' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" \\
    "$([ -n "$bump" ] && echo true || echo false)" "$status" > "$folder/restored.new"
  sync -f -- "$making"; sync -- "$folder/restored.new" "$folder"
  mv -T -- "$making/member" "$data/member"
  sync -- "$data"
fi
rm -rf -- "$making"
mv -T -- "$folder/restored.new" "$folder/restored"
sync -- "$folder"
`;
