/** Name under which a file is written before it gets its own: hidden, and no name of a backup. */
export const partialOf = (name: string): string => `.${name}.partial`;

/** Which file a partial one was to become; undefined when it is none. */
export const wholeOf = (partial: string): string | undefined => /^\.(.+)\.partial$/.exec(partial)?.[1];
