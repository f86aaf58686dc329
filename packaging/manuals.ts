import { execFileSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { catalogue } from '../metadata/catalogue.ts';
import { agentManPage, type Edition, type Language, languages } from '../metadata/man.ts';
import { commandManPage, commandsIn, parseHelp } from '../metadata/man-command.ts';
import { agentNames, commandName } from './products.ts';
import { sourceDate, version } from './version.ts';

/** `man/zh_CN/man7/ocf_tsha_drbd.7.gz`, below a folder of built things and below /usr/share. */
const page = (language: Language, name: string, section: number): string =>
  join('man', language === 'en' ? '' : 'zh_CN', `man${section}`, `${name}.${section}.gz`);

export const manualPaths: readonly string[] = languages.flatMap((language) => [
  page(language, commandName, 8),
  ...agentNames.map((name) => page(language, `ocf_tsha_${name}`, 7)),
]);

const locales: Readonly<Record<Language, string>> = { en: 'C.UTF-8', 'zh-CN': 'zh_CN.UTF-8' };

/** Writes every page below `dir`; what `command` offers is what it says of itself. */
export async function writeManuals(dir: string, command: string): Promise<void> {
  const edition: Edition = {
    version,
    date: new Date(sourceDate() * 1000).toISOString().slice(0, 10),
  };
  const write = async (path: string, text: string) => {
    await mkdir(dirname(join(dir, path)), { recursive: true });
    await writeFile(join(dir, path), compressed(text));
  };
  for (const language of languages) {
    for (const one of catalogue)
      await write(page(language, `ocf_tsha_${one.agent.name}`, 7), agentManPage(one, language, edition));
    const help = (...args: readonly string[]) =>
      parseHelp(
        execFileSync(command, [...args, '--help'], {
          encoding: 'utf8',
          env: { PATH: process.env['PATH'], LC_ALL: locales[language] },
          timeout: 60_000,
        }),
      );
    const whole = help();
    const each = new Map(commandsIn(whole).map((name) => [name, help(name)] as const));
    await write(page(language, commandName, 8), commandManPage(whole, each, agentNames, language, edition));
  }
}

/** As gzip -9n: without name and date. */
export const compressed = (text: string): Buffer => gzipSync(text, { level: 9 });
