import type { DocumentProblem } from '../issue.ts';
import type { ProviderDocument } from '../documents.ts';
import { parseNetwork } from '../schema/address.ts';
import { providerTypes } from '../schema/provider.ts';
import { repeated } from './context.ts';

/** The lab needs .11 to .250 and .100 of its subnet, hence a /24 at least. */
const SMALLEST_LAB_PREFIX = 24;

/** Rules about one provider. */
export function providerProblems(provider: ProviderDocument): DocumentProblem[] {
  return [...sections(provider), ...labSubnet(provider), ...hostList(provider)];
}

function sections(provider: ProviderDocument): DocumentProblem[] {
  const { spec } = provider;
  const foreign = providerTypes
    .filter((type) => type !== spec.type && spec[type] !== undefined)
    .map((type) => ({
      code: 'SPEC-059',
      path: ['spec', type],
      atKey: true,
      summary: `The section "${type}" stands in a provider of type ${spec.type}.`,
      remedy: `Remove the section, or write type: ${type}.`,
      related: [['spec', 'type']],
    }));
  // The lab has a default for everything it can be told.
  if (spec.type === 'lab' || spec[spec.type] !== undefined) return foreign;
  return [
    ...foreign,
    {
      code: 'SPEC-059',
      path: ['spec', 'type'],
      summary: `A provider of type ${spec.type} needs a section "${spec.type}" that describes it.`,
      remedy: `Add "${spec.type}:" with its fields below "spec".`,
      related: [['spec', spec.type]],
    },
  ];
}

function labSubnet({ spec }: ProviderDocument): DocumentProblem[] {
  const network = spec.lab?.subnet === undefined ? undefined : parseNetwork(spec.lab.subnet);
  if (!network) return [];
  const isPrivate = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'].some((text) => {
    const block = parseNetwork(text);
    return block !== undefined && block.first <= network.first && network.last <= block.last;
  });
  if (!isPrivate)
    return [
      {
        code: 'SPEC-060',
        path: ['spec', 'lab', 'subnet'],
        summary: `${network.text} is not a private network; while the lab runs, its real owner could not be reached.`,
        remedy: 'Choose a network inside 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16.',
      },
    ];
  if (network.prefix <= SMALLEST_LAB_PREFIX) return [];
  return [
    {
      code: 'SPEC-060',
      path: ['spec', 'lab', 'subnet'],
      summary: `${network.text} is too small for a lab: its machines get .11 to .250 of it.`,
      remedy: 'Choose a /24 or a larger network, such as 10.77.0.0/24.',
    },
  ];
}

function hostList({ spec }: ProviderDocument): DocumentProblem[] {
  return repeated(spec.hosts ?? [], (host) => host.address).map(({ item, index }) => ({
    code: 'SPEC-061',
    path: ['spec', 'hosts', index, 'address'],
    summary: `The host ${item.address} is listed twice.`,
    remedy: 'Keep one of the two.',
  }));
}
