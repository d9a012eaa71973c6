import * as fc from 'fast-check';
import { z } from 'zod';
import { unwrap, isOmittable } from '../../../daemon/spec/schema/walk.ts';
import * as values from '../../../daemon/spec/schema/values.ts';
import { rangeSchema } from '../../../daemon/spec/schema/values.ts';

/** Text without variables, which are refused wherever they stand. */
const plain = fc.string().filter((value) => !value.includes('${'));
const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?$/);
const octet = fc.integer({ min: 0, max: 255 });
const address = fc.tuple(octet, octet, octet, octet).map((parts) => parts.join('.'));
const labelText = fc.stringMatching(/^[A-Za-z0-9]([A-Za-z0-9_.-]{0,10}[A-Za-z0-9])?$/);
const cidr = fc
  .tuple(octet, octet, fc.integer({ min: 8, max: 16 }))
  .map(([a, b, prefix]) => `${a}.${prefix === 16 ? b : 0}.0.0/${prefix}`);
const range = fc
  .tuple(octet, octet, octet)
  .map(([a, b, c]) => `10.${a}.${Math.min(b, c)}.0-10.${a}.${Math.max(b, c)}.9`);

/** What a user may write for each kind of value. */
const texts: readonly (readonly [z.ZodType, fc.Arbitrary<unknown>])[] = [
  [values.nameSchema, label],
  [
    values.sizeSchema,
    fc
      .tuple(fc.integer({ min: 1, max: 2048 }), fc.constantFrom('Ki', 'Mi', 'Gi', 'Ti', 'k', 'M', 'G', 'T'))
      .map((parts) => parts.join('')),
  ],
  [values.percentageSchema, fc.integer({ min: 0, max: 100 }).map((share) => `${share}%`)],
  [
    values.versionSchema,
    fc
      .tuple(
        fc.boolean(),
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 0, max: 99 }),
        fc.integer({ min: 0, max: 30 }),
      )
      .map(([isMarked, ...numbers]) => `${isMarked ? 'v' : ''}${numbers.join('.')}`),
  ],
  [values.cidrSchema, cidr],
  [values.addressSchema, address],
  [rangeSchema, fc.oneof(range, cidr)],
  [
    values.hostSchema,
    fc.oneof(
      address,
      fc.tuple(label, label).map((parts) => `x${parts.join('.')}`),
    ),
  ],
  [values.domainSchema, fc.tuple(label, label).map((parts) => parts.join('.'))],
  [values.labelKeySchema, labelText],
  [values.labelValueSchema, fc.oneof(labelText, fc.constant(''))],
  [
    values.labelsSchema,
    fc.dictionary(labelText, fc.oneof(labelText, fc.constantFrom('', 'true', '1', '1.20')), { maxKeys: 3 }),
  ],
  [values.portSchema, fc.integer({ min: 1, max: 65535 })],
  [values.dayTimeSchema, fc.constantFrom('00:00', '22:30', '09:05')],
  [values.durationSchema, fc.constantFrom('30s', '15m', '24h')],
  [values.proxyUrlSchema, fc.constant('http://proxy.example:3128')],
  [values.scheduleSchema, fc.constantFrom('30 2 * * *', '*/15 * * * 1-5', '0 0 1 * *')],
  [values.folderPathSchema, fc.constantFrom('/mnt/backups', '/srv/a b/.c')],
  [values.authorityUrlSchema, fc.constantFrom('https://vault.dc1.example', 'https://10.20.0.9:8200')],
  [values.serverUrlSchema, fc.constantFrom('https://s3.dc1.example', 'https://10.20.0.9:9000')],
  [values.bucketSchema, fc.constantFrom('cluster-backups', 'a.b')],
  [values.mountSchema, fc.constantFrom('pki', 'teams/a_b/pki-1')],
  [values.prefixSchema, fc.constantFrom('remuda', 'a/b c')],
  [values.scriptSchema, fc.constantFrom('sync', '#!/bin/sh\n\techo "a: b"\n', ' # no\n\n')],
  [values.webhookUrlSchema, fc.constantFrom('https://hooks.dc1.example/a?b=c', 'https://10.20.0.9:8443/')],
  [
    values.textSchema,
    fc.oneof(
      plain.filter((value) => value !== ''),
      fc.constantFrom('null', 'yes', '0x1f', '- a', '# b', 'a: b', '---'),
    ),
  ],
];

/** Any value a user may write for a schema of the answer file, by the schema's own form. */
export function arbitraryOf(schema: z.core.$ZodType): fc.Arbitrary<unknown> {
  const known = texts.find(
    ([candidate]) => unwrap(candidate).inner._zod.def === unwrap(schema).inner._zod.def,
  );
  if (known) return known[1];
  const { inner } = unwrap(schema);
  if (inner instanceof z.ZodObject) return objectOf(inner);
  if (inner instanceof z.ZodArray) {
    const isNonEmpty = inner.safeParse([]).success === false;
    return fc.array(arbitraryOf(inner.element), { minLength: isNonEmpty ? 1 : 0, maxLength: 2 });
  }
  if (inner instanceof z.ZodRecord)
    return fc.dictionary(
      label.map((name) => `f${name}`),
      plain,
      { maxKeys: 2 },
    );
  if (inner instanceof z.ZodUnion) return fc.oneof(...inner.options.map(arbitraryOf));
  if (inner instanceof z.ZodEnum) return fc.constantFrom(...inner.options);
  if (inner instanceof z.ZodLiteral) return fc.constantFrom(...inner.values);
  if (inner instanceof z.ZodBoolean) return fc.boolean();
  if (inner instanceof z.ZodNumber)
    return fc.integer({
      min: Math.max(inner.minValue ?? 0, -1000),
      max: Math.min(inner.maxValue ?? 1000, 1000),
    });
  throw new Error(`no arbitrary for ${inner.constructor.name}; add one for the new kind of value`);
}

function objectOf(schema: z.ZodObject): fc.Arbitrary<unknown> {
  const entries = Object.entries(schema.shape).map(([name, child]) => {
    const value = arbitraryOf(child);
    return [name, isOmittable(child) ? fc.option(value, { nil: undefined }) : value] as const;
  });
  return fc
    .record(Object.fromEntries(entries))
    .map((object) => Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)));
}
