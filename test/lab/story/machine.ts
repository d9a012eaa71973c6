import {
  closeSync,
  existsSync,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Site } from './site.ts';

const auditEventSchema = z.object({
  verb: z.string(),
  /** Empty for a request that came without valid credentials. */
  user: z.object({ username: z.string().optional() }),
  requestURI: z.string(),
});
type AuditEvent = z.infer<typeof auditEventSchema>;

/** A lab machine seen from the box, through its disk: works without network, and does not ask Remuda. */
export class LabMachine {
  readonly name: string;
  /** The upper layer of its root. */
  readonly disk: string;

  constructor(site: Site, cluster: string, name: string) {
    const folder = readdirSync(site.labs).find((entry) => entry.startsWith(`${cluster}-`));
    if (folder === undefined) throw new Error(`there is no lab of ${cluster} yet`);
    this.name = name;
    this.disk = join(site.labs, folder, 'machines', name, 'upper');
  }

  read(path: string): string {
    return readFileSync(join(this.disk, path), 'utf8');
  }

  /** Units that Remuda has ever started there with this label, oldest first. */
  units(label = ''): string[] {
    const folder = join(this.disk, 'var/lib/remuda/units');
    if (!existsSync(folder)) return [];
    return readdirSync(folder)
      .filter((name) => name.includes(label))
      .sort();
  }

  /** Whether a unit is over, by its exit status on the machine. */
  hasEnded(unit: string): boolean {
    return existsSync(join(this.disk, 'var/lib/remuda/units', unit, 'exit'));
  }

  /** Configuration files of Kubernetes and Remuda there, with size and time of change. */
  configuration(): string[] {
    return ['etc/kubernetes', 'etc/remuda', 'var/lib/remuda/units', 'etc/haproxy', 'etc/keepalived']
      .filter((folder) => existsSync(join(this.disk, folder)))
      .flatMap((folder) =>
        readdirSync(join(this.disk, folder), { recursive: true, encoding: 'utf8' }).map((path) => {
          const { size, mtimeMs, ino } = statSync(join(this.disk, folder, path));
          return `${folder}/${path} ${size} ${mtimeMs} ${ino}`;
        }),
      )
      .sort();
  }

  /** Where the API server's audit log ends now. */
  auditEnd(): AuditMark {
    const path = this.#auditLog;
    if (!existsSync(path)) return { inode: 0, offset: 0 };
    const { ino, size } = statSync(path);
    return { inode: ino, offset: size };
  }

  /** Audit events written since a mark. @throws Error when the log was rotated in between */
  auditSince(mark: AuditMark): AuditEvent[] {
    const file = openSync(this.#auditLog, 'r');
    try {
      const { ino, size } = fstatSync(file);
      if (mark.inode !== 0 && ino !== mark.inode)
        throw new Error(`the audit log of ${this.name} was rotated`);
      const content = Buffer.alloc(size - mark.offset);
      readSync(file, content, 0, content.length, mark.offset);
      const lines = content.toString('utf8').split('\n');
      // The last line may be half written.
      return lines.slice(0, -1).map((line) => auditEventSchema.parse(JSON.parse(line)));
    } finally {
      closeSync(file);
    }
  }

  get #auditLog(): string {
    return join(this.disk, 'var/log/kubernetes/audit/audit.log');
  }
}

/** A place in an audit log. */
export interface AuditMark {
  readonly inode: number;
  readonly offset: number;
}

const mutatingVerbs = new Set(['create', 'update', 'patch', 'delete', 'deletecollection']);

/** Changes that Remuda's agent asked an API server for. */
export const changesOfRemuda = (events: readonly AuditEvent[]): string[] =>
  events
    .filter(({ user, verb }) => user.username === 'remuda-agent' && mutatingVerbs.has(verb))
    .map(({ verb, requestURI }) => `${verb} ${requestURI}`);
