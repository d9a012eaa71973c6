import type { ProblemCatalogue } from '../contract/problem.ts';

const buildCodes: ProblemCatalogue = {
  'PAYLOAD-001': {
    title: 'Not an Ed25519 key',
    explanation: 'Payloads are signed with Ed25519 only.',
    remedy: 'Give the Ed25519 public key in PEM form.',
  },
  'PAYLOAD-002': {
    title: 'The build lock cannot be taken',
    explanation: 'The program flock is missing, so two builds could spoil each other.',
    remedy: 'Install the package util-linux.',
  },
  'PAYLOAD-003': {
    title: 'A program for building is missing',
    explanation: 'The named program could not be started.',
    remedy: 'Install the packages of scripts/packages.txt; scripts/up does it.',
  },
  'PAYLOAD-004': {
    title: 'A program for building failed',
    explanation: 'Its last lines are shown. What was done before is kept.',
    remedy: 'Mend the cause, then run the same again.',
  },
  'PAYLOAD-010': {
    title: 'apt has no Debian mirror',
    explanation: "The lab payload is built from Debian's packages, from the mirror that this machine uses.",
    remedy: "Add a Debian mirror to apt's sources.",
  },
  'PAYLOAD-011': {
    title: 'Package lists could not be fetched',
    explanation: 'The mirror did not answer.',
    remedy: 'Look whether `apt-get update` works, then repeat.',
  },
  'PAYLOAD-012': {
    title: 'The mirror has no such source package',
    explanation: 'Mirrors may leave out sources.',
    remedy: 'Use a mirror with sources.',
  },
  'PAYLOAD-013': {
    title: 'The lab payload cannot have this version',
    explanation: "It is made from Debian's last whole Kubernetes source, which is 1.20.",
    remedy: 'Choose one of the versions in the message.',
  },
  'PAYLOAD-014': {
    title: 'The packages of a recipe bring no such file',
    explanation: 'An image recipe names a file that none of its packages has.',
    remedy: 'Name the package that brings it, or leave the file out.',
  },
  'PAYLOAD-015': {
    title: 'A library is missing in an image',
    explanation: 'A program of the image needs a library that no package of the recipe brings.',
    remedy: 'Name the package that brings the library.',
  },
  'PAYLOAD-016': {
    title: 'A file needs a library that machines may not have',
    explanation: 'Files that run on machines must stand on their own.',
    remedy: "Add the library to the payload's files, or take a build that does not need it.",
  },
  'PAYLOAD-017': {
    title: 'An image recipe cannot be used',
    explanation: 'It lacks a field, or one has the wrong shape.',
    remedy: 'Give it reference, packages, binaries, files and entrypoint.',
  },
};

const trustCodes: ProblemCatalogue = {
  'PAYLOAD-020': {
    title: 'The payload cannot be trusted',
    explanation:
      'Signature or digests do not fit: it is damaged, incomplete, changed, or older than one accepted before.',
    remedy:
      'Delete that folder and build or fetch the payload again; if it was carried here, carry it again.',
  },
  'PAYLOAD-021': {
    title: 'The record of accepted payloads is damaged',
    explanation: 'It keeps an old payload from being passed off as a new one.',
    remedy: 'Restore it from a backup; delete it only if you accept any older payload that is signed.',
  },
  'PAYLOAD-022': {
    title: 'No payload of that version on board',
    explanation: 'Machines get everything from the payload; without it nothing can be installed.',
    remedy: 'Run `remuda payload fetch VERSION` or, for the lab, `remuda payload build VERSION`.',
  },
};

const fetchCodes: ProblemCatalogue = {
  'PAYLOAD-030': {
    title: 'Nobody has reviewed the digests of that release',
    explanation:
      'What is fetched is compared with digests that stand in the program, never with those beside the file.',
    remedy: 'Choose a release that the message names, or add reviewed digests.',
  },
  'PAYLOAD-046': {
    title: 'A fetch cannot be understood',
    explanation:
      'The version, an option or an environment variable is missing, unknown or has the wrong shape.',
    remedy: 'Correct what the message names; `scripts/payload help` lists the options.',
  },
  'PAYLOAD-031': {
    title: 'Too many redirects',
    explanation: 'The source sends from one address to the next.',
    remedy: 'Correct the base URL of this source.',
  },
  'PAYLOAD-032': {
    title: 'Not https',
    explanation: 'Sources are asked over https only, also after a redirect.',
    remedy: 'Give an https URL for this source.',
  },
  'PAYLOAD-033': {
    title: 'Redirected to another host',
    explanation: 'A source may hand over only to hosts that were named with it.',
    remedy: 'If that host belongs to the source, name it among its hosts.',
  },
  'PAYLOAD-034': {
    title: 'A forbidden address',
    explanation: 'Addresses of this machine, link-local ones and metadata services are never asked.',
    remedy: 'Give the name of a real source.',
  },
  'PAYLOAD-035': {
    title: 'The source could not be asked',
    explanation: 'Name, network or TLS failed; the message says which.',
    remedy: 'Check the way to the source, then repeat; what is there already is kept.',
  },
  'PAYLOAD-036': {
    title: 'The source is busy',
    explanation: 'It answered that it cannot serve now.',
    remedy: 'Nothing is to be done: it is tried again, as late as the source asks.',
  },
  'PAYLOAD-037': {
    title: 'The source does not have it',
    explanation: 'It refused or does not know the file.',
    remedy: 'Check that this source carries that release, and its base URL.',
  },
  'PAYLOAD-038': {
    title: 'A resumed download does not fit',
    explanation: 'What was there and what came do not make the reviewed file, so it starts over.',
    remedy: 'Nothing is to be done.',
  },
  'PAYLOAD-039': {
    title: 'A download broke off',
    explanation: 'The connection ended before the file did.',
    remedy: 'Nothing is to be done: it is resumed where it stopped.',
  },
  'PAYLOAD-043': {
    title: 'What came is not what was reviewed',
    explanation: 'Size or SHA-256 differ from the reviewed ones. The file was deleted.',
    remedy: 'Do not use this source; take another mirror.',
  },
  'PAYLOAD-044': {
    title: 'A token server answers too much',
    explanation: 'The answer is longer than any token.',
    remedy: 'Take another mirror.',
  },
  'PAYLOAD-045': {
    title: 'An image cannot be used',
    explanation: 'What the registry serves under the reviewed digest has the wrong shape.',
    remedy: 'Check the reviewed digest, and that the registry serves this release.',
  },
};

/** Everything about payloads: building (001 on), trust (020 on), fetching (030 on). Stable. */
export const payloadCodes: ProblemCatalogue = { ...buildCodes, ...trustCodes, ...fetchCodes };
