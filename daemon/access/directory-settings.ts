import { z } from 'zod';
import type { DirectoryConfig } from '../../appliance/agent/protocol/outgoing.ts';
import { roles } from './principals.ts';

const dn = z.string().min(3).max(1000).regex(/=/, 'write a DN, like ou=people,dc=example,dc=com');
const filter = z
  .string()
  .min(3)
  .max(2000)
  .regex(/^\(.*\)$/s, 'write a filter in parentheses, like (objectClass=person)');
const attribute = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9;-]{0,100}$/, 'write the name of an attribute, like uid');

/** A directory as an administrator writes it. What is left out follows from the type. */
export const directorySettingsSchema = z
  .strictObject({
    title: z.string().min(1).max(100).describe('What people choose when they sign in.'),
    type: z.enum(['ldap', 'activeDirectory']).default('ldap'),
    server: z
      .string()
      .max(300)
      .regex(/^ldaps?:\/\/[^/?#@\s]+\/?$/i, 'write ldaps://host:636, or ldap://host:389 for StartTLS')
      .describe('ldaps://host:port, or ldap://host:port, which is used with StartTLS only.'),
    authority: z
      .string()
      .max(100_000)
      .regex(/-----BEGIN CERTIFICATE-----/, 'give the certificate of the authority, PEM')
      .describe("PEM of the authority that signed the directory's certificate; no other is believed."),
    account: z
      .strictObject({ dn, secretRef: z.string().min(1).max(253) })
      .describe('The account that searches; its password is the key `password` of a secret.'),
    people: z.strictObject({
      base: dn,
      filter: filter.exactOptional(),
      login: attribute.exactOptional(),
      displayName: attribute.default('cn'),
    }),
    groups: z.strictObject({
      base: dn,
      filter: filter.exactOptional(),
      member: attribute.default('member'),
      nesting: z.enum(['member', 'memberOf', 'inChain']).exactOptional(),
    }),
    roles: z
      .array(z.strictObject({ group: dn, role: z.enum(roles), cluster: z.string().max(63).exactOptional() }))
      .max(500)
      .default([])
      .describe('Groups and the role that each gives: everywhere, or in one cluster.'),
    admit: z
      .enum(['mapped', 'everyone'])
      .default('mapped')
      .describe('Whether people without any of these groups may sign in, as `user`.'),
  })
  .meta({ id: 'DirectorySettings' });
export type DirectorySettings = z.infer<typeof directorySettingsSchema>;

const usual = {
  ldap: {
    people: '(objectClass=person)',
    login: 'uid',
    groups: '(objectClass=groupOfNames)',
    nesting: 'member',
  },
  // Persons that are computers are of class user too; bit 2 of userAccountControl marks a disabled account (MS-ADTS §2.2.16).
  activeDirectory: {
    people: '(&(objectCategory=person)(objectClass=user)(!(userAccountControl:1.2.840.113556.1.4.803:=2)))',
    login: 'sAMAccountName',
    groups: '(objectClass=group)',
    nesting: 'inChain',
  },
} as const;

/** What the agent is told of a directory, with everything that was left out. */
export function configOf(settings: DirectorySettings): DirectoryConfig {
  const { people, groups } = settings;
  const left = usual[settings.type];
  return {
    server: settings.server,
    authority: settings.authority,
    account: settings.account.dn,
    people: {
      base: people.base,
      filter: people.filter ?? left.people,
      login: people.login ?? left.login,
      displayName: people.displayName,
    },
    groups: {
      base: groups.base,
      filter: groups.filter ?? left.groups,
      member: groups.member,
      nesting: groups.nesting ?? left.nesting,
    },
  };
}

/** Where the secret of a directory goes: another place demands it anew (DESIGN §3). */
export const destinationOf = ({ server }: DirectorySettings): string =>
  server.replace(/\/$/, '').toLowerCase();
