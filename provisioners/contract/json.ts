/** Any value that survives JSON unchanged. Plans, inputs, facts and reports are made of nothing else. */
export type Json =
  | string
  | number
  | boolean
  | null
  | readonly Json[]
  | { readonly [key: string]: Json | undefined };

/** A JSON object; a member that is undefined is the same as one that is not there. */
export type JsonObject = { readonly [key: string]: Json | undefined };

/**
 * The one canonical text of a JSON value: keys sorted by code unit, no white space (the useful part of RFC 8785).
 * Hashes of plans and configuration are taken over it, so that two equal values never differ by key order.
 */
export function canonicalJson(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const object = value as JsonObject;
  const entries = Object.keys(object)
    .sort()
    .filter((key) => object[key] !== undefined)
    .map((key) => `${JSON.stringify(key)}:${canonicalJson(object[key] as Json)}`);
  return `{${entries.join(',')}}`;
}
