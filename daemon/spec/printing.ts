import { dump } from 'js-yaml';
import { z } from 'zod';
import type { ClusterDocument, ProviderDocument } from './documents.ts';
import { isSection } from './issue.ts';
import { documentSchemas } from './reading.ts';
import { formatSize } from './schema/quantity-syntax.ts';
import { unwrap } from './schema/walk.ts';

/** A document as the YAML that `apply` reads back as the same document; defaults are written out. */
export function printDocument(document: ProviderDocument | ClusterDocument): string {
  return dump(printable(documentSchemas[document.kind], document), { noRefs: true, lineWidth: 110 });
}

/** A typed value in the notation of the file, fields in the order of the schema. */
function printable(schema: z.core.$ZodType, value: unknown): unknown {
  const { inner, metadata } = unwrap(schema);
  if (metadata?.notation === 'size' && typeof value === 'number') return formatSize(value);
  if (inner instanceof z.ZodArray && Array.isArray(value))
    return value.map((item: unknown) => printable(inner.element, item));
  if (!(inner instanceof z.ZodObject) || !isSection(value)) return value;
  return Object.fromEntries(
    Object.entries(inner.shape)
      .filter(([name]) => value[name] !== undefined)
      .map(([name, child]) => [name, printable(child, value[name])]),
  );
}
