/** What of a policy is shown. */
export interface PolicyRules {
  readonly action: 'Warn' | 'Deny';
  /** Names or patterns of clusters; undefined = all. */
  readonly clusters: readonly string[] | undefined;
  /** CREATE, UPDATE, DELETE; undefined = what is made and changed. */
  readonly operations: readonly string[] | undefined;
  readonly validations: readonly { readonly expression: string; readonly message: string }[];
}

/** Reads the parts of a `kind: Policy` document that are shown; the daemon has checked it, so nothing is refused here. */
export function rulesOf(document: Readonly<Record<string, unknown>>): PolicyRules {
  const spec = recordOf(document['spec']);
  const { clusters, operations } = recordOf(spec['match']);
  const validations = Array.isArray(spec['validations']) ? spec['validations'] : [];
  return {
    action: spec['action'] === 'Deny' ? 'Deny' : 'Warn',
    clusters: Array.isArray(clusters) ? clusters.map(String) : undefined,
    operations: Array.isArray(operations) ? operations.map(String) : undefined,
    validations: validations.map((each: unknown) => {
      const { expression, message } = recordOf(each);
      return {
        expression: typeof expression === 'string' ? expression : '',
        message: typeof message === 'string' ? message : '',
      };
    }),
  };
}

const recordOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
