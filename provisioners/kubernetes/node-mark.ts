/** Annotation of a Node: digest of what its machine was configured from. The planner compares it. */
export const configAnnotation = 'remuda.dev/config';

/** Annotation of a Node: id of the operation of ours that cordoned it. Set and removed with the cordon, in one update. */
export const cordonAnnotation = 'remuda.dev/cordoned-by';

/** Annotation of a Node: which operation drains it, since when, and how many pods had to go then (JSON). */
export const drainAnnotation = 'remuda.dev/draining';
