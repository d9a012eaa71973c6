import { mkdirSync } from 'node:fs';
import { claimSubnet } from '../../provisioners/infrastructure/lab/claim.ts';
import { type LabPlaces, runFolder } from '../../provisioners/infrastructure/lab/places.ts';

/** A process of its own that claims subnets for a lab and prints, as JSON, those it got: `ID SUBNET...`. */
const [id = '', ...subnets] = process.argv.slice(2);
mkdirSync(runFolder, { recursive: true });
// Claiming asks for no more of a lab than who it is and where it lives.
const lab = { id, folder: `/nowhere/${id}` } as LabPlaces;
const rivals = await Promise.all(subnets.map((subnet) => claimSubnet(lab, subnet)));
console.log(JSON.stringify(subnets.filter((_, index) => rivals[index] === undefined)));
