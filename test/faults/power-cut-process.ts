import { openSync, writeSync } from 'node:fs';
import { FakeSite } from '../unit/operations/fake-site.ts';
import { tinyText } from '../unit/operations/tiny-planners.ts';
import { cutFile, type Marker } from './power-cut-case.ts';

/**
 * The process that is traced: a real engine on real files carries one operation to its end. Between its own writes it
 * writes down, into a file beside, what the outside world knew at that moment.
 */
const [folder, markerPath] = process.argv.slice(2) as [string, string];
const markers = openSync(markerPath, 'w');
const mark = (marker: Marker): void => {
  writeSync(markers, `${JSON.stringify(marker)}\n`);
};

const site = new FakeSite({ reserveBytes: 16_384 }, folder);
site.agent.remembered = () => mark({ type: 'agent', memory: site.agent.memory() });
await site.start();
const answer = await site.run(
  site.engine.apply({ text: tinyText(cutFile), file: 'tiny.json', principal: 'p' }),
);
const id = answer.operations[0]?.id as string;
mark({ type: 'answered', operation: id });
await site.end(id);
mark({ type: 'ended', operation: id });
// No stop and no close: the power goes.
process.exit(0);
