import { closeSync, fsyncSync, linkSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { drbdadm } from '../../lib/host/drbd/admin.ts';
import { commandFailure } from '../../lib/host/host.ts';
import { readXml } from '../../lib/host/xml.ts';
import type { Element as XmlElement } from '../../lib/host/xml-element.ts';
import type { Call } from '../command.ts';
import { configurationFile, readConfiguration } from '../configuration/read.ts';
import { CommandError, type Ending } from '../exit.ts';
import { cibText } from '../facts/cib-text.ts';
import { attribute, parseXml, within } from '../facts/xml.ts';
import { print } from '../output/print.ts';
import { harmless } from '../output/terminal.ts';
import { say } from '../output/words.ts';
import type { Drafted } from './draft.ts';
import { fileText } from './file-text.ts';
import { draftFromCluster } from './from-cluster.ts';
import { draftFromWords, type Words } from './from-words.ts';
import { initWords } from './words.ts';

export type InitOptions = Words & {
  readonly config?: string | undefined;
  readonly fromCluster?: boolean | undefined;
  readonly dryRun: boolean;
};

/** `tsha init`: writes the configuration of a pair, of a running cluster or of what flags and answers say. Never over a file. */
export async function init(call: Call, options: InitOptions): Promise<Ending> {
  const { language } = call.terminal;
  const words = initWords(language);
  const file = options.config ?? configurationFile;
  const drafted: Drafted = options.fromCluster
    ? await fromCluster(call)
    : { draft: draftFromWords(await asked(call, options)), notes: [] };
  const text = fileText(drafted, language);
  // what tsha writes, tsha reads
  readConfiguration(file, text, language);
  if (options.dryRun) {
    print(1, text);
    return 'well';
  }
  writeNew(file, text, words.isThere);
  print(1, call.terminal.marks(`✓ ${say(words.written, { file: harmless(file) })}\n  → tsha plan\n`));
  return 'well';
}

async function fromCluster({ host }: Call): Promise<Drafted> {
  const cib = parseXml(await cibText(host));
  const names = within(cib, 'primitive')
    .filter((one) => attribute(one, 'type') === 'drbd')
    .flatMap((one) => within(one, 'nvpair'))
    .filter((pair) => attribute(pair, 'name') === 'drbd_resource')
    .map((pair) => attribute(pair, 'value'));
  const dumps: XmlElement[] = [];
  for (const name of new Set(names)) {
    const dump = await drbdadm(host, name, '/etc/drbd.conf').run(['-d', 'dump-xml', name]);
    const read = dump.code === 0 ? await readXml(dump.stdout) : undefined;
    if (read === undefined) throw commandFailure(['drbdadm', 'dump-xml', name], dump);
    dumps.push(read);
  }
  const drbd = { name: '', attributes: {}, children: dumps, text: '' };
  return draftFromCluster(cib, drbd, new Date());
}

/** Asks for what no flag has said, where somebody can be asked. */
async function asked({ terminal, noInput }: Call, options: InitOptions): Promise<Words> {
  const words = initWords(terminal.language);
  const questions = [
    ['nodes', words.nodes],
    ['disk', words.disk],
    ['stateDisk', words.stateDisk],
    ['directory', words.directory],
    ['ip', words.ip],
    ['export', words.exports],
  ] as const;
  const open = questions.filter(
    ([name]) => (name === 'ip' ? (options.ip ?? options.ip6) : options[name]) === undefined,
  );
  const missing = open.filter(([name]) => name !== 'stateDisk');
  if (missing.length === 0) return options;
  if (noInput || process.stdin.isTTY !== true)
    throw new CommandError(
      'unknown',
      say(words.missing, { flags: missing.map(([name]) => `--${name}`).join(', ') }),
    );
  const dialogue = createInterface({ input: process.stdin, output: process.stderr });
  const answers: { [name: string]: string | readonly string[] } = {};
  try {
    for (const [name, question] of open) {
      const answer = (await dialogue.question(`${question}: `)).trim();
      if (name === 'export') answers[name] = answer.split(/\s+/).filter(Boolean);
      else if (name !== 'stateDisk' || answer !== '') answers[name] = answer;
    }
  } finally {
    dialogue.close();
  }
  return { ...options, ...answers };
}

/** The whole file or none, and never over one that is there: a link to a finished draft fails where there is something. */
function writeNew(file: string, text: string, isThere: string): void {
  const draft = `${file}.${process.pid}.new`;
  const refuse = (error: unknown): CommandError => {
    const { code } = error as NodeJS.ErrnoException;
    return new CommandError(
      'unknown',
      code === 'EEXIST' ? say(isThere, { file: harmless(file) }) : `cannot write ${harmless(file)}: ${code}`,
    );
  };
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o755 });
    const fd = openSync(draft, 'wx', 0o644);
    try {
      writeSync(fd, text);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    linkSync(draft, file);
  } catch (error) {
    throw refuse(error);
  } finally {
    rmSync(draft, { force: true });
  }
}
