/** Annotation of a Node: digest of what its machine was configured from. The planner compares it. */
export const configAnnotation = 'remuda.dev/config';
