import { createHash } from 'node:crypto';
import type { MachineRef } from '../../../provisioners/contract/machine.ts';
import type { FileContent, FilePort } from '../../../provisioners/contract/ports/file.ts';
import type { Machines } from '../machines.ts';

/** Folders below which files may be removed: what Kubernetes, its parts and Remuda own. Never the folder itself above. */
const removable = [
  '/etc/kubernetes/',
  '/etc/cni/',
  '/etc/containerd/',
  '/etc/haproxy/',
  '/etc/keepalived/',
  '/etc/remuda/',
  '/etc/systemd/system/kubelet.service',
  '/etc/systemd/system/containerd.service',
  '/var/lib/etcd/',
  '/var/lib/kubelet/',
  '/var/lib/containerd/',
  '/var/lib/cni/',
  '/var/lib/remuda/',
  '/var/log/kubernetes/',
  '/opt/cni/',
  '/run/remuda/',
] as const;

const removableWhole = [
  '/etc/kubernetes',
  '/var/lib/etcd',
  '/var/lib/kubelet',
  '/etc/cni',
  '/var/lib/cni',
] as const;

/** Files on a machine, many in one visit. */
export function createFilePort(machines: Machines): FilePort {
  return {
    async differ(machine, files) {
      if (files.length === 0) return [];
      const output = await machines.ask(machine, 'comparing files', {
        text: differProgram,
        input: files.map(({ path }) => `${path}\0`).join(''),
      });
      const seen = output.split('\n');
      return files.flatMap((file, index) => {
        const why = difference(file, seen[index] ?? '');
        return why === undefined ? [] : [{ path: file.path, why }];
      });
    },

    async write(machine, files) {
      if (files.length === 0) return;
      await machines.make(machine, 'writing files', { text: writeProgram, input: packed(files) });
    },

    async read(machine, path) {
      const result = await machines.look(machine, { text: readProgram, variables: { path } });
      if (result.exitCode === 44) return undefined;
      if (result.exitCode !== 0)
        throw new Error(`${path} on ${machine.name} cannot be read: ${result.stderr.trim()}`);
      return result.stdout.toString('utf8');
    },

    async exist(machine, paths) {
      if (paths.length === 0) return new Set();
      const output = await machines.ask(machine, 'looking for files', {
        text: 'while IFS= read -r -d "" path; do [ -e "$path" ] && printf "%s\\0" "$path"; done; exit 0',
        input: paths.map((path) => `${path}\0`).join(''),
      });
      return new Set(output.split('\0').filter((path) => path !== ''));
    },

    remove: (machine, paths) => remove(machines, machine, paths),
  };
}

async function remove(machines: Machines, machine: MachineRef, paths: readonly string[]): Promise<void> {
  const foreign = paths.find((path) => !mayRemove(path));
  if (foreign !== undefined)
    throw new Error(`${foreign} is not Remuda's to remove; only what Kubernetes and Remuda own may be`);
  if (paths.length === 0) return;
  await machines.make(machine, 'removing files', {
    text: 'while IFS= read -r -d "" path; do rm -rf --one-file-system -- "$path" || exit 1; done',
    input: paths.map((path) => `${path}\0`).join(''),
  });
}

/** Whether a path lies where removing is allowed, written plainly. */
function mayRemove(path: string): boolean {
  const isPlain = path.startsWith('/') && !path.split('/').some((part) => part === '..' || part === '.');
  const isBelow = removable.some((folder) => path.startsWith(folder) && path.length > folder.length);
  return isPlain && (isBelow || removableWhole.some((whole) => path === whole));
}

const digestOf = (content: string): string => createHash('sha256').update(content).digest('hex');

function difference(file: FileContent, seen: string): string | undefined {
  if (seen === 'absent') return 'it is not there';
  const [mode, owner, digest] = seen.split(' ');
  if (digest !== digestOf(file.content)) return 'its content is another';
  if (Number.parseInt(mode ?? '', 8) !== file.mode)
    return `its mode is 0${mode}, it should be 0${file.mode.toString(8)}`;
  if (owner !== '0:0') return `its owner is ${owner}, it should be root`;
  return undefined;
}

const differProgram = `
while IFS= read -r -d "" path; do
  if [ -f "$path" ]; then echo "$(stat -L -c '%a %u:%g' -- "$path") $(sha256sum < "$path" | cut -d' ' -f1)"
  else echo absent; fi
done
exit 0
`;

const readProgram = `
[ -e "$path" ] || exit 44
exec cat -- "$path"
`;

/** Path, mode, length and content of each file, parted by NUL; contents in base64, because bash reads no NUL. */
function packed(files: readonly FileContent[]): string {
  return files
    .map(
      ({ path, mode, content }) =>
        `${path}\0${mode.toString(8)}\0${Buffer.from(content).toString('base64')}\0`,
    )
    .join('');
}

/**
 * Temporary files beside their places, hidden, so that no kubelet takes one for a static pod; fsync, renames in order, fsync of the folders. All of them together: one journal
 * commit of the file system instead of two a file, and a third of the processes.
 */
const writeProgram = `
set -e
files=() news=() folders=()
while IFS= read -r -d "" path && IFS= read -r -d "" mode && IFS= read -r -d "" content; do
  folder=\${path%/*}/
  [ -d "$folder" ] || mkdir -p -m 0755 -- "$folder"
  new=$folder.\${path##*/}.remuda-new
  rm -f -- "$new"
  ( umask 077; printf %s "$content" | base64 -d > "$new" )
  chmod "$mode" -- "$new"
  files+=("$path") news+=("$new") folders+=("$folder")
done
chown 0:0 -- "\${news[@]}"
sync -- "\${news[@]}"
for at in "\${!files[@]}"; do mv -T -- "\${news[$at]}" "\${files[$at]}"; done
sync -- "\${folders[@]}"
`;
