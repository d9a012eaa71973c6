import type { ProblemCatalogue } from '../../provisioners/contract/problem.ts';

/** Codes about the text itself (001 to 019) and about single values (020 to 039). */
export const valueCodes: ProblemCatalogue = {
  'SPEC-001': {
    title: 'Not valid YAML',
    explanation:
      'The text breaks a rule of YAML, so that this document cannot be read. Other documents of the file are read nevertheless.',
    remedy:
      'Mend the line that is named, or the one above it. Text that holds ": ", "#", "@" or "%" needs quotes.',
  },
  'SPEC-002': {
    title: 'Field written twice',
    explanation: 'A section holds the same field twice. YAML would silently take one of them.',
    remedy: 'Keep one of the two.',
  },
  'SPEC-003': {
    title: 'Alias of itself',
    explanation: 'An alias refers to the section it stands in, so that the document would never end.',
    remedy: 'Write the fields out instead.',
  },
  'SPEC-004': {
    title: 'Too large',
    explanation: 'The file, its nesting, or what its aliases stand for is beyond any real answer file.',
    remedy: 'Apply the file in parts, and use fewer aliases.',
  },
  'SPEC-005': {
    title: 'Alias without anchor',
    explanation:
      'A word beginning with "*" is an alias in YAML, and no anchor "&" of that name was defined before it.',
    remedy: 'Define the anchor first, or quote the value if it should be text.',
  },
  'SPEC-006': {
    title: 'YAML tag',
    explanation:
      'Words beginning with "!" give YAML values a type. The answer file has its own types and reads none.',
    remedy: 'Leave the tag out; quote the value if it should be text.',
  },
  'SPEC-007': {
    title: 'Empty file',
    explanation: 'The file holds nothing but comments and white space.',
    remedy: 'Begin with an example from ui/docs/examples.',
  },
  'SPEC-008': {
    title: 'Not a document',
    explanation: 'A document is a section of fields, and a field has a plain name.',
    remedy: 'Write apiVersion, kind, metadata and spec.',
  },
  'SPEC-009': {
    title: 'Unknown apiVersion',
    explanation: 'The document is of a format this version of Remuda does not read.',
    remedy: 'Write apiVersion: remuda.dev/v1alpha1, or use a newer Remuda.',
  },
  'SPEC-010': {
    title: 'Field missing',
    explanation: 'A field that has no default is not there.',
    remedy: 'Add the field.',
  },
  'SPEC-011': {
    title: 'Unknown field',
    explanation:
      'There is no such field in this section. Unknown fields are errors, because a misspelt one would silently do nothing.',
    remedy: 'Correct the name, or remove the field.',
  },
  'SPEC-012': {
    title: 'Empty field',
    explanation: 'Nothing follows the colon.',
    remedy: 'Write a value, or leave the line out.',
  },
  'SPEC-013': {
    title: 'Wrong kind of value',
    explanation: 'Text, number, list or section stands where another is expected.',
    remedy: 'Write the kind of value the message names.',
  },
  'SPEC-014': {
    title: 'Not one of the choices',
    explanation: 'The field takes one of a few words, and this is none of them. Upper and lower case count.',
    remedy: 'Write one of the words the message lists.',
  },
  'SPEC-015': {
    title: 'Number out of bounds',
    explanation: 'The number is smaller or larger than the field allows.',
    remedy: 'Write a number within the bounds.',
  },
  'SPEC-016': {
    title: 'Too few or too many entries',
    explanation: 'The list is shorter or longer than the field allows.',
    remedy: 'Add or remove entries.',
  },
  'SPEC-017': {
    title: 'Unknown kind',
    explanation: 'A document is a Provider, a Cluster or a Secret.',
    remedy: 'Correct the kind.',
  },
  'SPEC-018': {
    title: 'Described twice',
    explanation: 'Two documents of the file have the same kind and name.',
    remedy: 'Keep one, or rename one.',
  },
  'SPEC-019': {
    title: 'Variable not replaced',
    explanation:
      'The text holds ${X}. Remuda replaces no variables itself, so whatever made the file forgot to.',
    remedy: 'Put the value in before Remuda reads the file.',
  },
  'SPEC-020': {
    title: 'Not a name',
    explanation: 'Names become parts of host names and are DNS labels (RFC 1123).',
    remedy: 'Use lower-case letters, digits and hyphens.',
  },
  'SPEC-021': {
    title: 'Not a size',
    explanation:
      'A size is a whole number and a unit. A bare number could mean anything, and GB means two things.',
    remedy: 'Write a size such as 16Gi.',
  },
  'SPEC-022': {
    title: 'Not a Kubernetes version',
    explanation: 'A version has three numbers: major, minor and patch.',
    remedy: 'Write it in quotes, such as "1.37.1".',
  },
  'SPEC-023': {
    title: 'Not a network',
    explanation: 'A network is an address and a prefix length, with zeros after the prefix.',
    remedy: 'Write a network such as 10.244.0.0/16.',
  },
  'SPEC-024': {
    title: 'Not an address',
    explanation: 'An IPv4 address has four numbers from 0 to 255.',
    remedy: 'Write an address such as 10.20.0.10.',
  },
  'SPEC-025': {
    title: 'Not a range',
    explanation: 'A range is a first and a last address, or a network.',
    remedy: 'Write a range such as 10.20.1.10-10.20.1.250.',
  },
  'SPEC-026': {
    title: 'Not a percentage',
    explanation: 'A percentage is a whole number from 0 to 100 and a percent sign.',
    remedy: 'Write a percentage such as 80%.',
  },
  'SPEC-027': {
    title: 'Not a time of day',
    explanation: 'Times are hours and minutes by the 24-hour clock.',
    remedy: 'Write a time such as "22:00", in quotes.',
  },
  'SPEC-028': {
    title: 'Not a domain',
    explanation: 'A DNS domain is made of lower-case labels with dots between them.',
    remedy: 'Write a domain such as cluster.local.',
  },
  'SPEC-029': {
    title: 'Not a label key',
    explanation: 'Kubernetes takes no label or taint with this key.',
    remedy: 'Write a key such as example.org/team.',
  },
  'SPEC-030': {
    title: 'Not a label value',
    explanation: 'Kubernetes takes no label or taint with this value.',
    remedy: 'Write a value such as team-a, or leave it empty.',
  },
  'SPEC-031': {
    title: 'Not a host',
    explanation: 'The field takes an IPv4 address or a DNS name, no URL and no port.',
    remedy: 'Write an address such as 10.20.0.10 or a name such as api.example.',
  },
  'SPEC-032': {
    title: 'Version without quotes',
    explanation: 'Without quotes YAML reads 1.30 as the number 1.3.',
    remedy: 'Put the version in quotes.',
  },
  'SPEC-033': {
    title: 'Not a proxy URL',
    explanation:
      'A proxy is given by scheme, host and port. The text is not repeated, because it may hold a password.',
    remedy: 'Write a URL such as http://proxy.dc1.example:3128.',
  },
  'SPEC-034': {
    title: 'Not a key of a secret',
    explanation:
      'The keys of a secret are plain words. The text is not repeated, because it may be the secret itself.',
    remedy: 'Write a key such as password.',
  },
  'SPEC-035': {
    title: 'Not a flag',
    explanation: 'Flags of components are given by name, without the leading hyphens.',
    remedy: 'Write a name such as audit-log-maxage.',
  },
  'SPEC-036': {
    title: 'Not a duration',
    explanation: 'A duration is a whole number of seconds, minutes or hours, and no longer than a day.',
    remedy: 'Write a duration such as 30s, 15m or 2h.',
  },
  'SPEC-037': {
    title: 'Not a schedule',
    explanation:
      'A schedule has the five fields of cron and names a time that comes about. Six fields, with seconds, are not taken.',
    remedy: 'Write minute, hour, day of the month, month and day of the week, such as "30 2 * * *".',
  },
  'SPEC-038': {
    title: 'Not an absolute path',
    explanation: 'The folder is named from the root, and without "." and "..".',
    remedy: 'Write a path such as /mnt/backups.',
  },
  'SPEC-039': {
    title: 'Not a place in an S3 server',
    explanation:
      'An S3 server is given by https, host and port; a bucket by its name as Amazon allows it; a prefix without slashes at its ends.',
    remedy: 'Write values such as https://s3.dc1.example:9000, cluster-backups and remuda/dc1.',
  },
};
