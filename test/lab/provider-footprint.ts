import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
};

const list = (folder: string): string[] => {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
};

const linesWith = (text: string, marks: readonly string[]): string[] =>
  text.split('\n').filter((line) => marks.some((mark) => line.includes(mark)));

/** Ids and subnets of the labs in a state folder, as their records tell. */
export function labsIn(stateFolder: string): { id: string; subnet: string }[] {
  return list(stateFolder).flatMap((name) => {
    const text = read(join(stateFolder, name, 'lab.json'));
    return text === '' ? [] : [JSON.parse(text)];
  });
}

/**
 * Everything on this box that has to do with a state folder or with labs of these ids and subnets, found by looking
 * with the system's own tools and not by asking the provider: processes (also those that only hold a mount of it),
 * mounts, network cards, routes, control groups, claims, files.
 */
export function footprint(stateFolder: string, labs: readonly { id: string; subnet: string }[]): string[] {
  const marks = [stateFolder, ...labs.map(({ id }) => id)];
  const processes = list('/proc')
    .filter((name) => /^\d+$/.test(name) && name !== String(process.pid))
    .filter((pid) =>
      ['environ', 'mountinfo', 'cgroup'].some(
        (file) => linesWith(read(`/proc/${pid}/${file}`), marks).length > 0,
      ),
    )
    // A zombie holds nothing any more but its number, until the box's init reads its status.
    .filter((pid) => !/^State:\s+[ZX]/m.test(read(`/proc/${pid}/status`)))
    // This test's own children (vitest) carry the folder in their environment, but live outside its mounts and groups.
    .filter(
      (pid) =>
        read(`/proc/${pid}/environ`).includes('LAB_MACHINE=') ||
        !read(`/proc/${pid}/environ`).includes('VITEST'),
    );
  const routes = execFileSync('ip', ['-4', 'route', 'show', 'table', 'all']).toString();
  const cards = execFileSync('ip', ['link', 'show']).toString();
  const groups = execFileSync('find', ['/sys/fs/cgroup', '-type', 'd', '-path', '*remuda-lab*']).toString();
  const claims = list('/run/remuda-lab').map((name) => `${name} ${read(`/run/remuda-lab/${name}`)}`);
  return [
    ...processes.map((pid) => `process ${pid} ${read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ')}`),
    ...linesWith(read('/proc/self/mountinfo'), marks).map((line) => `mount ${line}`),
    ...linesWith(cards, marks).map((line) => `card ${line}`),
    ...linesWith(
      routes,
      labs.map(({ subnet }) => subnet),
    ).map((line) => `route ${line}`),
    ...linesWith(groups, marks).map((line) => `group ${line}`),
    ...linesWith(claims.join('\n'), marks).map((line) => `claim ${line}`),
    ...(existsSync(stateFolder) ? list(stateFolder).map((name) => `file ${name}`) : []),
  ];
}
