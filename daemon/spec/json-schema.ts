import { z } from 'zod';
import type { JsonObject } from '../../provisioners/contract/json.ts';
import { documentKinds, documentSchemas } from './reading.ts';
import { fieldRegistry } from './schema/field.ts';

/**
 * JSON Schema 2020-12 of one document of an answer file, as the user writes it: for editors (`remuda schema`) and
 * forms. `x-mutability` says what a change of a field means. It is wider than {@link parseStream}, which also knows
 * the rules across fields.
 */
export function answerFileSchema(): JsonObject {
  const definitions = Object.fromEntries(documentKinds.map((kind) => [kind, schemaOf(kind)]));
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: 'https://remuda.dev/schemas/v1alpha1/answer-file.json',
    title: 'Remuda answer file',
    description: 'One document of an answer file: a Provider, a Cluster, a Secret or a Policy.',
    oneOf: documentKinds.map((kind) => ({ $ref: `#/$defs/${kind}` })),
    $defs: definitions,
  };
}

function schemaOf(kind: (typeof documentKinds)[number]): JsonObject {
  const generated = z.toJSONSchema(documentSchemas[kind], {
    target: 'draft-2020-12',
    io: 'input',
    reused: 'inline',
    override: ({ zodSchema, jsonSchema }) => {
      const metadata = fieldRegistry.get(zodSchema);
      if (!metadata) return;
      jsonSchema.description = metadata.help;
      jsonSchema['x-mutability'] = metadata.mutability;
      if (metadata.example !== undefined) jsonSchema.examples = [metadata.example];
    },
  });
  const { $schema: _, ...rest } = JSON.parse(JSON.stringify(generated)) as JsonObject;
  return { title: kind, ...rest };
}
