import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fs from 'fs-extra';
import type { Run } from '../scenarios/run.ts';
import { type NodeName, nodes, peerOf, projectFolder } from '../settings.ts';
import { forTheLab } from './lab-values.ts';
import { type Block, blocksOf, missingLine, type Place } from './page.ts';

/** Longest that one block may take; a first synchronisation and a switch do, on a loaded machine. */
const blockSeconds = 400;

/** TSHA_LAB_FROM=500 plays a page from that line on: for work on the rest of it. */
const from = Number(process.env['TSHA_LAB_FROM'] ?? 0);

/** Brings a page's cluster where its next block begins. */
export type Situations = Readonly<Record<string, (run: Run) => Promise<void>>>;

/** Every command of a page of docs/ in the order of the page; what was seen is kept beside the consoles. */
export async function playPage(run: Run, name: string, situations: Situations = {}): Promise<void> {
  const { checks, lab, steps } = run;
  const blocks = blocksOf(await readFile(join(projectFolder, 'docs', name), 'utf8'));
  const transcript = join(lab.instance.folder, 'transcript.md');
  await fs.outputFile(transcript, '');
  for (const block of blocks.filter(({ skip, line }) => skip === undefined && line >= from)) {
    if (block.situation !== undefined) await enter(run, block.situation, situations);
    const title = `line ${block.line}, ${block.place}`;
    const { code, said } = await steps.run(title, blockSeconds, (signal) => typed(run, block, signal));
    await fs.appendFile(transcript, `\n## ${title}\n\n${block.commands}\n\n${said}\nexit ${code}\n`);
    const missing = missingLine(block.expected, said);
    checks.add(
      `${title}: ${block.commands.split('\n')[0]}`,
      code === block.exit && missing === undefined,
      missing === undefined ? `exit ${code}: ${said}` : `"${missing}" is not in: ${said}`,
    );
    // what follows builds upon it
    if (code !== block.exit) throw new Error(`docs/${name}, ${title}: exit ${code}: ${said}`);
  }
  const skipped = blocks.filter(({ skip }) => skip !== undefined);
  checks.add(
    `${blocks.length - skipped.length} of ${blocks.length} blocks of docs/${name} ran`,
    blocks.length > 0,
    `${skipped.length} cannot run here: ${[...new Set(skipped.map(({ skip }) => skip))].join('; ')}`,
  );
}

async function enter(run: Run, name: string, situations: Situations): Promise<void> {
  const situation = situations[name];
  if (!situation) throw new Error(`there is no situation "${name}"`);
  await situation(run);
}

async function typed(run: Run, block: Block, signal: AbortSignal): Promise<{ code: number; said: string }> {
  const wanted = await machinesAt(run, block.place, signal);
  const answers = await Promise.all(
    wanted.map(async (name) => {
      const machine = run.lab.machine(name);
      await machine.write('/root/typed', `${forTheLab(block.commands)}\n`, { signal });
      // a shell of bash's, as administrators have it; the first command that fails ends it
      const text = await machine.run(
        'cd /root; LANG=C.UTF-8 bash -e -o pipefail typed 2>&1; echo "exit $?"',
        { signal, timeout: blockSeconds * 1000 },
      );
      const [, said = '', code = '255'] = /^([\s\S]*?)\n?exit (\d+)\s*$/.exec(text) ?? [];
      return { code: Number(code), said };
    }),
  );
  return {
    code: Math.max(...answers.map(({ code }) => code)),
    said: answers.map(({ said }) => said).join('\n'),
  };
}

async function machinesAt(
  { cluster }: Run,
  place: Place,
  signal: AbortSignal,
): Promise<(NodeName | 'client')[]> {
  if (place === 'both') return [...nodes];
  if (place === 'active' || place === 'passive') {
    const states = await Promise.all(nodes.map((node) => cluster.drbdOn(node, signal)));
    const active = nodes.find((_, index) => states[index]?.role === 'Primary');
    if (!active) throw new Error('no node is Primary');
    return [place === 'active' ? active : peerOf(active)];
  }
  return [place];
}
