import { z } from 'zod';
import type { ClusterDocument, ProviderDocument } from './documents.ts';
import { isSection } from './issue.ts';
import { documentSchemas } from './reading.ts';
import { isOmittable, unwrap } from './schema/walk.ts';

/**
 * A document as an earlier release kept it, with the defaults of fields that this release added: what was not there to be
 * asked for is as if nobody had written it. What stands in it is left as it is.
 */
export function withNewDefaults<Kept extends ProviderDocument | ClusterDocument>(document: Kept): Kept {
  return completed(documentSchemas[document.kind], document) as Kept;
}

/** The value of a field that is left out; undefined where it has no default. */
function defaultValue(schema: z.core.$ZodType): unknown {
  if (!isOmittable(schema)) return undefined;
  const parsed = z.safeParse(schema, undefined);
  return parsed.success ? parsed.data : undefined;
}

function completed(schema: z.core.$ZodType, value: unknown): unknown {
  if (value === undefined) return defaultValue(schema);
  const { inner } = unwrap(schema);
  if (inner instanceof z.ZodArray && Array.isArray(value))
    return value.map((item: unknown) => completed(inner.element, item));
  if (!(inner instanceof z.ZodObject) || !isSection(value)) return value;
  const known = Object.entries(inner.shape).flatMap(([name, child]): [string, unknown][] => {
    const found = completed(child, value[name]);
    return found === undefined ? [] : [[name, found]];
  });
  return { ...value, ...Object.fromEntries(known) };
}
