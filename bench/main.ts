import { join } from 'node:path';
import fs from 'fs-extra';
import { hideBin } from 'yargs/helpers';
import { agentNames } from '../packaging/products.ts';
import { installAgents } from './agents.ts';
import { gantt } from './gantt.ts';
import { measure, type Row } from './measure.ts';
import { readOptions } from './options.ts';
import { picture } from './picture.ts';
import { type Load, scale } from './scale.ts';
import { situations } from './situations.ts';
import { type Piece, startup } from './startup.ts';
import { contestants, figuresOf, median, type Round, sumOf } from './statistics.ts';
import { loadsTable, markdown, piecesTable, verdictLines } from './table.ts';
import { allMetadata, type Measured, wholeStack } from './targets.ts';
import { enterWorld, furnish, worldFolder } from './world.ts';

const say = (text: string): void => void process.stdout.write(`${text}\n`);

const options = readOptions(hideBin(process.argv));
const { agent, action, rounds, runs, lab, failover, out } = options;

const folder = worldFolder();
if (process.getuid?.() !== 0) {
  say('THE BENCH CANNOT RUN HERE: it needs root, to make namespaces and loop devices');
  process.exitCode = 3;
} else if (lab) {
  const { benchLab } = await import('./lab.ts');
  await report('lab', await benchLab({ rounds, runs }, say), {});
} else if (failover) {
  const { benchFailover, failoverTable, providers } = await import('./failover.ts');
  const pairs = await benchFailover(say);
  const charts = pairs.flatMap((pair) =>
    providers.map((who) => ({ title: `${pair.event}, ${who}`, timeline: pair[who].timeline })),
  );
  await publish(
    'failover',
    failoverTable(pairs),
    pairs,
    gantt('What Pacemaker does during a failover', charts),
  );
} else if (options.pause) {
  const { benchPause, pauseText } = await import('./pause.ts');
  const pairs = await benchPause(options, say);
  await publishText('pause', pauseText(pairs), pairs);
} else if (options.detection) {
  const { benchDetection, detectionTable } = await import('./detection.ts');
  const seen = await benchDetection(options, say);
  await publishText('detection', detectionTable(seen), seen);
} else if (folder === undefined) process.exitCode = await enterWorld();
else await benchHost(folder);

async function benchHost(world: string): Promise<void> {
  await furnish(world);
  await installAgents(world);
  const rows: Row[] = [];
  for (const situation of await situations(world)) {
    if (agent && !agent.includes(situation.agent)) continue;
    if (action && !action.includes(situation.action)) continue;
    const began = performance.now();
    rows.push({ ...situation, measurement: await measure(world, situation, { rounds, runs }) });
    const seconds = ((performance.now() - began) / 1000).toFixed(0);
    say(`${[situation.agent, situation.action, situation.state].join(' ').trim()} (${seconds} s)`);
  }
  await report('host', rows, {});
  if (agent) return;
  const pieces = await startup(world, { rounds, runs });
  await report('host', rows, { pieces, ...(options.scale && { loads: await scale(world, say) }) });
}

function measuredOf({ agent, action, state, measurement }: Row): Measured {
  const { rounds, bareNode, footprint } = measurement;
  const node = median(bareNode.map(({ cpu }) => cpu));
  return {
    ...withFigures({ agent, action, state }, rounds),
    ...(footprint && { footprint }),
    ...(bareNode.length > 0 && { bareNode: node }),
  };
}

/** What the promises are about that no single row shows. */
function sums(rows: readonly Row[]): readonly Measured[] {
  const sum = (name: string, action: string, actions: readonly string[], wanted: number) => {
    const parts = rows.filter((row) => actions.includes(row.action));
    if (parts.length < wanted) return [];
    const rounds = sumOf(parts.map(({ measurement }) => measurement.rounds));
    return [withFigures({ agent: name, action, state: 'sum' }, rounds)];
  };
  const perAction = rows.some(({ action }) => action === 'promote')
    ? ['start', 'stop', 'promote', 'demote'].flatMap((action) => sum(wholeStack, action, [action], 1))
    : [];
  return [
    ...sum(allMetadata, 'meta-data', ['meta-data'], agentNames.length),
    ...perAction,
    ...(perAction.length > 0
      ? sum(wholeStack, 'start to demote', ['start', 'stop', 'promote', 'demote'], 1)
      : []),
  ];
}

function withFigures(row: Pick<Measured, 'agent' | 'action' | 'state'>, rounds: readonly Round[]): Measured {
  const [stock, native, script] = contestants.map((who) => figuresOf(rounds, who));
  if (!stock || !native || !script) throw new Error('nobody took part');
  return { ...row, figures: { stock, native, script } };
}

type More = { readonly pieces?: readonly Piece[]; readonly loads?: readonly Load[] };

async function report(place: string, measured: readonly Row[], more: More): Promise<void> {
  const rows = [...measured.map(measuredOf), ...sums(measured)];
  const text = [
    markdown(rows),
    verdictLines(rows)
      .map((line) => `- ${line}\n`)
      .join(''),
    piecesTable(more.pieces ?? []),
    loadsTable(more.loads ?? []),
  ].join('\n');
  const title = `Processor time of one call, milliseconds (${place})`;
  await publish(place, text, { rows, ...more }, picture(title, rows));
}

async function publish(name: string, text: string, figures: unknown, image: string): Promise<void> {
  await publishText(name, text, figures);
  await fs.outputFile(join(out, `${name}.svg`), image);
  say(`and ${name}.svg`);
}

async function publishText(name: string, text: string, figures: unknown): Promise<void> {
  say(`\n${text}`);
  await fs.outputJson(join(out, `${name}.json`), figures, { spaces: 1 });
  await fs.outputFile(join(out, `${name}.md`), text);
  say(`written to ${out}: ${name}.json, ${name}.md`);
}
