import { basename, resolve } from 'node:path';
import { localTime } from '../../lib/contract/local-time.ts';
import type { Call } from '../command.ts';
import { CommandError, type Ending } from '../exit.ts';
import { historyData } from '../history/command.ts';
import { readSince } from '../history/since.ts';
import { historyWords } from '../history/words.ts';
import { envelope } from '../output/json.ts';
import { print, printLines } from '../output/print.ts';
import { harmless } from '../output/terminal.ts';
import { writeWhole } from '../output/whole-file.ts';
import { say } from '../output/words.ts';
import { gatherReport } from './gather.ts';
import { reportPage } from './page.ts';
import { tarOf } from './tar.ts';
import { reportWords } from './words.ts';

export type ReportOptions = { readonly file: string | null; readonly since: string };

/** `tsha report`: a page about the last failover or failure, and a tar with the facts behind it. For whoever runs it alone (0600). */
export async function report(call: Call, { file, since }: ReportOptions): Promise<Ending> {
  const { terminal } = call;
  const words = reportWords(terminal.language);
  const now = Date.now();
  const from = readSince(since, now);
  if (from === null)
    throw new CommandError(
      'unknown',
      say(historyWords(terminal.language).badSince, { text: harmless(since) }),
    );
  if (file !== null && !/[^/]\.html$/.test(file)) throw new CommandError('unknown', words.mustBeHtml);
  const found = await gatherReport(call.host, from);
  const page = resolve(file ?? `tsha-report-${fileName(found.facts.node)}-${stamp(now)}.html`);
  const archive = page.replace(/\.html$/, '.tar.gz');
  const folder = basename(page, '.html');
  write(archive, tarOf(folder, found.parts, new Date(now)), words.cannotWrite);
  write(page, Buffer.from(reportPage(found, terminal.language, basename(archive))), words.cannotWrite);
  if (call.json) {
    const { history, incidents, findings, facts, secrets } = found;
    const data = { page, archive, secretsMasked: secrets, ...historyData(history, incidents) };
    const level = 0;
    const object = envelope({ kind: 'report', time: now, node: facts.node, findings, level, data });
    print(1, `${JSON.stringify(object)}\n`);
  } else
    printLines(
      [say(words.done, { page }), say(words.doneTar, { archive })].map((line) =>
        terminal.marks(harmless(line)),
      ),
    );
  return 'well';
}

const fileName = (node: string): string => node.replace(/[^\w.-]+/g, '_');
/** `20261129-135802` */
const stamp = (at: number): string =>
  localTime(new Date(at)).toISOString().slice(0, 19).replace(/[-:]/g, '').replace('T', '-');

function write(file: string, content: Uint8Array, sentence: string): void {
  try {
    writeWhole(file, content, 0o600);
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new CommandError('unknown', say(sentence, { file: harmless(file), why }));
  }
}
