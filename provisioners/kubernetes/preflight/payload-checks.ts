import { failed, passed, type PayloadCheck } from './check.ts';

const onBoard: PayloadCheck = {
  id: 'PAYLOAD-ON-BOARD',
  scope: 'payload',
  severity: 'strict',
  title: 'The Kubernetes version is on board',
  prevents: 'an installation without internet stops half-way, looking for a download',
  field: 'kubernetes.version',
  evaluate({ kubernetesVersion, payload, damage }) {
    if (damage !== undefined) return passed(`one for ${kubernetesVersion} is there`);
    if (payload !== undefined) return passed(`${payload.name}, sha256 ${payload.digest.slice(0, 12)}`);
    return failed(
      `no payload for Kubernetes ${kubernetesVersion} is on board`,
      `bring one with: remuda payload fetch ${kubernetesVersion} (or payload build, in the lab), or choose a version that "remuda get payloads" lists`,
    );
  },
};

const digests: PayloadCheck = {
  id: 'PAYLOAD-DIGESTS',
  scope: 'payload',
  severity: 'strict',
  title: 'The payload is whole and signed by somebody trusted',
  prevents: 'machines run what somebody changed on the way, or an install ends half-way at a damaged file',
  field: 'kubernetes.version',
  evaluate({ payload, damage }) {
    if (damage === undefined)
      return passed(payload === undefined ? 'none to check' : `signed, every part as in ${payload.name}`);
    return failed(
      damage,
      'delete that folder and build or fetch the payload again; if it was carried here, carry it again',
    );
  },
};

const imagesOnBoard: PayloadCheck = {
  id: 'PAYLOAD-IMAGES',
  scope: 'payload',
  severity: 'strict',
  title: 'Every image is on board',
  prevents: 'an add-on pulls from the internet in a place that has none, and its pods wait for ever',
  field: 'addons',
  evaluate({ payload, wantedImages }) {
    // Said already, by the check that names the payload.
    if (payload === undefined) return passed('no payload to look into');
    const lacking = wantedImages.filter((image) => !payload.images.includes(image));
    if (lacking.length === 0) return passed(`all ${wantedImages.length} images are in the payload`);
    return failed(
      `not in the payload: ${lacking.join(', ')}`,
      'choose another add-on, or bring a payload that holds these images',
    );
  },
};

/** Checks of the supplies, before any machine is made. */
export const payloadChecks: readonly PayloadCheck[] = [onBoard, digests, imagesOnBoard];
