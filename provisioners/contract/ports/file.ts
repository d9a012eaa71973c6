import type { MachineRef } from '../machine.ts';

/** A file as it should be. */
export interface FileContent {
  readonly path: string;
  readonly content: string;
  /** Octal, for example 0o600. */
  readonly mode: number;
}

/** Files on a machine, owned by root. Content of secret files never reaches a log. */
export interface FilePort {
  /** Paths whose content or mode is other than given, with the reason; one visit. */
  differ(
    machine: MachineRef,
    files: readonly FileContent[],
  ): Promise<readonly { readonly path: string; readonly why: string }[]>;
  /** Writes all atomically one by one: temporary file, fsync, rename. Parent folders are made 0755. */
  write(machine: MachineRef, files: readonly FileContent[]): Promise<void>;
  /** Content, or undefined when there is no such file. */
  read(machine: MachineRef, path: string): Promise<string | undefined>;
  /** Which of the paths exist. */
  exist(machine: MachineRef, paths: readonly string[]): Promise<ReadonlySet<string>>;
  /** Removes files or folders; missing counts as done. Refuses paths outside the folders Kubernetes and Remuda own. */
  remove(machine: MachineRef, paths: readonly string[]): Promise<void>;
}
