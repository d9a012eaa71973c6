#!/bin/sh
# Supervises one lab host: joins the host's cgroups, then boots it again and again for as long as it asks for a reboot.
# Everything it makes (mounts, network namespace, network card) lives in namespaces of its own, so that the kernel
# takes it all back when the last process dies, whatever killed it. Only cgroup folders and files stay behind.
#
# Environment: LAB_MACHINE (folder of the machine), LAB_ROOT (folder of the root image), LAB_NAME, LAB_LABEL,
# LAB_CGROUPS (folders to join, one a line), LAB_UNIFIED (where cgroup v2 is mounted; empty with v1), LAB_BRIDGE (namespace
# file), LAB_PORT, LAB_MAC, LAB_ADDRESS (with prefix), LAB_GATEWAY.
set -eu

boot() {
  # Built where nothing of the box can be hidden by mistake: this mount namespace is ours alone.
  mount -t tmpfs remuda-lab /mnt
  mkdir /mnt/machine /mnt/lower
  mount --bind "$LAB_MACHINE" /mnt/machine
  mount --bind "$LAB_ROOT" /mnt/lower
  mount -t overlay "$LAB_LABEL" -o lowerdir=/mnt/lower,upperdir=/mnt/machine/upper,workdir=/mnt/machine/work /mnt/machine/root

  # The previous boot's card may still wait for the kernel to take its namespace down.
  nsenter --net="$LAB_BRIDGE" ip link del "$LAB_PORT" 2>/dev/null || true
  nsenter --net="$LAB_BRIDGE" ip link add "$LAB_PORT" type veth peer name eth0 address "$LAB_MAC" netns "$$"
  nsenter --net="$LAB_BRIDGE" ip link set "$LAB_PORT" alias "$LAB_LABEL" master br0
  [ -e /mnt/machine/unplugged ] || nsenter --net="$LAB_BRIDGE" ip link set "$LAB_PORT" up
  ip link set lo up
  ip address add "$LAB_ADDRESS" broadcast + dev eth0
  ip link set eth0 up
  ip route add default via "$LAB_GATEWAY"

  # nspawn keeps locks and propagation folders below these; ours die with us.
  mount -t tmpfs remuda-lab /run
  mount -t tmpfs remuda-lab /tmp

  set --
  for folder in containerd kubelet etcd; do
    set -- "$@" "--bind=/mnt/machine/disk/$folder:/var/lib/$folder"
  done
  # All capabilities, as a machine has them, but for the box's clock, kernel and ports.
  # API_VFS_WRITABLE=network: of /proc/sys only net is writable, the rest belongs to the box.
  hierarchy=no
  [ -z "$LAB_UNIFIED" ] || hierarchy=yes
  exec env SYSTEMD_NSPAWN_UNIFIED_HIERARCHY="$hierarchy" SYSTEMD_NSPAWN_API_VFS_WRITABLE=network \
    SYSTEMD_SECCOMP=0 SYSTEMD_NSPAWN_USE_CGNS=1 \
    systemd-nspawn --quiet --directory=/mnt/machine/root --machine="$LAB_NAME" --boot --register=no --keep-unit \
    --network-namespace-path="/proc/$$/ns/net" --capability=all --drop-capability=CAP_SYS_TIME,CAP_SYS_MODULE,CAP_SYS_RAWIO --resolv-conf=off --timezone=off --link-journal=no \
    --console=pipe --bind=/dev/kmsg "$@"
}

# With cgroup v2 a group that hands controllers down holds no processes itself (cgroups(7)): the loop and the host get
# one each below the machine's group, and nspawn splits its own again.
split_unified_group() {
  LAB_GROUP="$LAB_UNIFIED$(sed -n 's/^0:://p' /proc/self/cgroup)"
  export LAB_GROUP
  mkdir -p "$LAB_GROUP/loop" "$LAB_GROUP/host"
  echo "$$" >"$LAB_GROUP/loop/cgroup.procs"
  for controller in $(cat "$LAB_GROUP/cgroup.controllers"); do
    echo "+$controller" >"$LAB_GROUP/cgroup.subtree_control"
  done
}

if [ "${1:-}" = boot ]; then
  [ -z "$LAB_UNIFIED" ] || echo "$$" >"$LAB_GROUP/host/cgroup.procs"
  boot
fi

exec 9>"$LAB_MACHINE/supervisor.lock"
flock --nonblock 9 || exit 0
echo "$LAB_CGROUPS" | while read -r folder; do
  [ -z "$folder" ] || echo "$$" >"$folder/cgroup.procs"
done
[ -z "$LAB_UNIFIED" ] || split_unified_group
while :; do
  status=0
  unshare --mount --net --propagation private -- /bin/sh "$0" boot 9>&- || status=$?
  echo "remuda-lab: host ended with status $status"
  # 133: the host asked for a reboot (systemd-nspawn with --keep-unit).
  [ "$status" = 133 ] || exit 0
done
