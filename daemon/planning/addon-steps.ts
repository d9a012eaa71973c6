import type { JsonObject } from '../../provisioners/contract/json.ts';
import { type PlannedStep, stepId } from '../../provisioners/contract/plan.ts';
import { UserProblem } from '../../provisioners/contract/problem.ts';
import { addonNamed, versionFor } from '../../provisioners/addons/addons.ts';
import { addonObjects } from '../../provisioners/kubernetes/addon-objects.ts';
import { addonMark } from '../../provisioners/kubernetes/marks.ts';
import { addonInstall } from '../../provisioners/kubernetes/steps/addon-install.ts';
import { clusterAccessGrant } from '../../provisioners/kubernetes/steps/cluster-access-grant.ts';
import { minorOf } from '../../provisioners/kubernetes/versions.ts';
import type { ClusterDocument } from '../spec/documents.ts';
import type { PlanContext } from './cluster-plan.ts';
import { inPlaceEnds } from './in-place.ts';
import { exitOf } from './leaving-machine.ts';
import { aboutPart, planStep } from './planned-step.ts';

/** One add-on the document asks for. */
export interface WantedAddon {
  readonly name: string;
  readonly version: string;
  readonly settings: JsonObject;
  readonly images: readonly string[];
}

/** @throws UserProblem when this release has no such add-on for the Kubernetes version */
function wanted(name: string, field: string, document: ClusterDocument, settings: JsonObject): WantedAddon {
  const addon = addonNamed(name);
  const { version } = document.spec.kubernetes;
  const own = addon === undefined ? undefined : versionFor(addon, minorOf(version));
  if (addon === undefined || own === undefined)
    throw new UserProblem('PLAN-012', `This release has no add-on ${name} for Kubernetes ${version}`, {
      place: { field },
      value: name.slice(name.indexOf('/') + 1),
      remedy: 'Choose one that the reference of the answer file lists for this version, or leave it out.',
    });
  return { name, version: own, settings, images: addon.images(own) };
}

/** Add-ons of the document in the order they are installed: the network first. */
export function wantedAddons(document: ClusterDocument): WantedAddon[] {
  const { network, dns, loadBalancer, gateway, storage, registry } = document.spec.addons;
  const later = Object.entries({ loadBalancer, gateway, storage, registry }).find(
    ([, section]) => section !== undefined,
  );
  if (later !== undefined)
    throw new UserProblem('PLAN-012', `This release has no add-on for spec.addons.${later[0]} yet`, {
      place: { field: `spec.addons.${later[0]}` },
      remedy: 'Leave it out.',
    });
  return [
    wanted(`network/${network.type}`, 'spec.addons.network.type', document, {}),
    ...(dns.enabled ? [wanted('dns/cluster-dns', 'spec.addons.dns', document, {})] : []),
  ];
}

/**
 * Steps of the add-ons whose mark is not what the document asks for. One after another: each writes its mark, and the
 * network must be there before anything else of them can run.
 */
export function addonSteps(context: PlanContext): PlannedStep[] {
  const { document, settings, observed } = context;
  const access = context.isUpgrade ? context.accessAfter : context.access;
  const { kubernetesVersion, podCidr, serviceCidr, serviceDomain } = settings;
  // In an upgrade they come when every machine is new.
  const left = context.isUpgrade
    ? [...context.difference.leaving.map(exitOf), ...inPlaceEnds(context.difference)]
    : [];
  let last = [stepId(clusterAccessGrant.kind, 'cluster'), ...left];
  return wantedAddons(document).flatMap(({ name, version, settings: own }) => {
    const input = { kubernetesVersion, podCidr, serviceCidr, serviceDomain, settings: own };
    const { digest } = addonObjects(name, version, input);
    if (observed.marks?.[addonMark(name)] === digest) return [];
    const step = planStep(addonInstall, aboutPart(name), { name, version, ...input, access }, last);
    last = [step.id];
    return [step];
  });
}
