import { z } from 'zod';
import { field } from './field.ts';
import { hostSchema, proxyUrlSchema, textSchema } from './values.ts';

/** The way out of the machines, where there is one. */
export const proxySchema = z.strictObject({
  http: field(proxyUrlSchema.optional(), {
    mutability: 'rolling-replace',
    help: 'URL of the proxy for http.',
    example: 'http://proxy.dc1.example:3128',
  }),
  https: field(proxyUrlSchema.optional(), {
    mutability: 'rolling-replace',
    help: 'URL of the proxy for https.',
    example: 'http://proxy.dc1.example:3128',
  }),
  exceptions: field(z.array(textSchema).default([]), {
    mutability: 'rolling-replace',
    help: 'Hosts, domains and networks that are reached without the proxy.',
  }),
  trustedCAs: field(z.array(textSchema).default([]), {
    mutability: 'rolling-replace',
    help: 'Certificates (PEM) of authorities the machines trust.',
  }),
  registryMirrors: z
    .array(
      z.strictObject({
        registry: field(hostSchema, {
          mutability: 'rolling-replace',
          help: 'Registry that is mirrored.',
          example: 'registry.example',
        }),
        mirror: field(hostSchema, {
          mutability: 'rolling-replace',
          help: 'Host that serves it instead.',
          example: 'mirror.dc1.example',
        }),
      }),
    )
    .default([]),
});
