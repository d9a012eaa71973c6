/** An optional property for a nullable column: spread it, and NULL becomes "not there". */
export function optional<K extends string, V>(
  key: K,
  value: V | null | undefined,
): { readonly [P in K]?: V } {
  if (value === null || value === undefined) return {};
  return { [key]: value } as { readonly [P in K]?: V };
}

/** Like {@link optional}, for a column that holds JSON text. */
export function optionalJson<K extends string, V>(key: K, text: string | null): { readonly [P in K]?: V } {
  return text === null ? {} : optional(key, JSON.parse(text) as V);
}

/** JSON text of a value, or NULL for one that is not there. */
export const jsonOrNull = (value: unknown): string | null =>
  value === undefined ? null : JSON.stringify(value);
