/** One finished file at a destination. */
export interface StoredFile {
  readonly name: string;
  readonly bytes: number;
}

/**
 * The folder of one cluster at some place, opened for one piece of work. A file is there whole under its name, or not
 * at all: what is being written bears no name that {@link files} shows.
 */
export interface Destination {
  /** How to speak of it in messages; never with a secret. */
  readonly what: string;
  /** Finished files; none when the folder is not there yet. */
  files(): Promise<readonly StoredFile[]>;
  /** Writes durably under the name, replacing what was there. When the content throws, nothing of it stays. */
  write(name: string, content: AsyncIterable<Uint8Array>): Promise<void>;
  /** The content. Throws while it is read when there is no such file. */
  read(name: string): AsyncIterable<Uint8Array>;
  /** Removes a file; one that is gone is success. */
  remove(name: string): Promise<void>;
  /** Removes what writes of such names have left that never came to their end. */
  sweep(isStale: (name: string) => boolean): Promise<void>;
  close(): Promise<void>;
}
