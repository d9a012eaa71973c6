import { existsSync, readFileSync, statfsSync } from 'node:fs';
import {
  arch,
  availableParallelism,
  freemem,
  loadavg,
  platform,
  release,
  totalmem,
  uptime,
  version,
} from 'node:os';

/** The machine that this command runs on; it is often, and not always, the one of the daemon. No names or addresses. */
export function hostFacts(): Readonly<Record<string, unknown>> {
  return {
    platform: platform(),
    architecture: arch(),
    kernel: `${release()} ${version()}`,
    operatingSystem: fieldOf('/etc/os-release', /^PRETTY_NAME="?([^"\n]*)/m),
    cgroups: existsSync('/sys/fs/cgroup/cgroup.controllers') ? 'v2' : 'v1 or none',
    processors: availableParallelism(),
    load: loadavg(),
    memory: { total: totalmem(), free: freemem() },
    swap: fieldOf('/proc/meminfo', /^SwapTotal:\s*(.*)$/m),
    disks: Object.fromEntries(['/', '/var/lib', '/tmp'].map((path) => [path, freeOf(path)])),
    uptime: Math.round(uptime()),
    node: process.version,
    time: new Date().toISOString(),
    timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
  };
}

/** First group of the pattern in a file of the system; absent where there is no such file. */
function fieldOf(path: string, pattern: RegExp): string | undefined {
  try {
    return pattern.exec(readFileSync(path, 'utf8'))?.[1];
  } catch {
    return undefined;
  }
}

/** Bytes of the file system that holds a path. */
function freeOf(path: string): { readonly total: number; readonly free: number } | undefined {
  try {
    const { bsize, blocks, bavail } = statfsSync(path);
    return { total: bsize * blocks, free: bsize * bavail };
  } catch {
    return undefined;
  }
}
