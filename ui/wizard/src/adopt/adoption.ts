import type { AdoptRequest } from '../../../../daemon/api/types.ts';

/** A text that came from a file, or was typed. */
export interface NamedText {
  /** Name of the file; empty where it was typed. */
  readonly name: string;
  readonly text: string;
}

/** What a person has said of the cluster that is to be taken in. */
export interface Adoption {
  readonly file: NamedText;
  readonly address: string;
  readonly port: string;
  readonly user: string;
  readonly key: NamedText;
  readonly hostKey: string;
  readonly knownHosts: NamedText;
  readonly takesOver: boolean;
}

const nothing: NamedText = { name: '', text: '' };

/** Nothing said yet. */
export const emptyAdoption: Adoption = {
  file: nothing,
  address: '',
  port: '22',
  user: 'root',
  key: nothing,
  hostKey: '',
  knownHosts: nothing,
  takesOver: false,
};

/** A port of TCP (RFC 9293, section 3.1), in the digits that people type. */
const isPort = (text: string): boolean =>
  /^[0-9]{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535;

/** Whether everything was said that it takes to look. */
export const isComplete = ({ file, address, port, user, key }: Adoption): boolean =>
  file.text.trim() !== '' &&
  address.trim() !== '' &&
  isPort(port) &&
  user.trim() !== '' &&
  key.text.trim() !== '';

/** As the API takes it. */
export function requestOf(adoption: Adoption): Omit<AdoptRequest, 'bypass'> {
  const { file, address, port, user, key, hostKey, knownHosts, takesOver } = adoption;
  return {
    text: file.text,
    file: file.name === '' ? '-' : file.name,
    master: { address: address.trim(), port: Number(port), user: user.trim() },
    privateKey: key.text,
    takesOver,
    ...(hostKey.trim() === '' ? {} : { hostKey: hostKey.trim() }),
    ...(knownHosts.text.trim() === '' ? {} : { knownHosts: knownHosts.text }),
  };
}
