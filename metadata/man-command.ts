import { type Edition, head, type Language, prose } from './man.ts';
import { filled, quoted, roff } from './roff.ts';

// The page tsha(8), from what `tsha --help` and `tsha COMMAND --help` say in a language: yargs makes these of the declarations.

/** What yargs prints: lines of text, then blocks of a title and rows of two columns. */
export type Help = {
  readonly usage: readonly string[];
  readonly blocks: readonly { readonly title: string; readonly rows: readonly Row[] }[];
};
type Row = { readonly term: string; readonly text: string };

/**
 * Sample:
 *
 *     tsha plan
 *
 *     Print the pcs commands
 *
 *     Options:
 *           --device  Its device   [string] [default: "/dev/drbd1"]
 *       -f, --file    CIB file to work on instead of
 *                     the live cluster                 [string]
 */
export function parseHelp(text: string): Help {
  const usage: string[] = [];
  const blocks: { title: string; rows: { term: string; text: string }[] }[] = [];
  for (const line of text.split('\n')) {
    const [, title] = /^(\S.*)[:：]$/.exec(line) ?? [];
    const block = blocks.at(-1);
    const [, indent = '', term = '', rest = ''] = /^( +)(\S.*?)(?: {2,}(.*))?$/.exec(line) ?? [];
    if (title !== undefined) blocks.push({ title, rows: [] });
    else if (!block) usage.push(...(line.trim() ? [line.trim()] : []));
    else if (indent.length > 0 && indent.length <= 10 && /^(-|tsha\b)/.test(term))
      block.rows.push({ term, text: rest.trim() });
    else {
      const row = block.rows.at(-1);
      if (row && line.trim()) row.text = `${row.text} ${line.trim()}`.trim();
    }
  }
  const tidy = ({ term, text }: Row): Row => ({ term, text: text.replace(/ {2,}/g, ' ') });
  return { usage, blocks: blocks.map(({ title, rows }) => ({ title, rows: rows.map(tidy) })) };
}

/** The commands that the help names: `plan` of `tsha plan`. */
export const commandsIn = ({ blocks }: Help): readonly string[] =>
  blocks.flatMap(({ rows }) => rows.flatMap(({ term }) => /^tsha ([a-z][a-z-]*)/.exec(term)?.[1] ?? []));

const words = {
  en: {
    manual: 'System administration',
    name: 'NAME',
    short: 'looks after clusters with the agents of tsha',
    synopsis: 'SYNOPSIS',
    description: 'DESCRIPTION',
    commands: 'COMMANDS',
    exit: 'EXIT STATUS',
    exits: {
      0: 'Well, done, or nothing to do.',
      1: 'Something to look at: degraded, but serving.',
      2: 'Not serving, data at risk, refused, or failed with nothing half-way.',
      3: 'Could not find out: usage, configuration, or no cluster here.',
      4: 'Half-way: begun and not ended.',
      130: 'Interrupted and cleaned up.',
    },
    seeAlso: 'SEE ALSO',
  },
  'zh-CN': {
    manual: '系统管理',
    name: '名称',
    short: '管理使用 tsha 资源代理的集群',
    synopsis: '概要',
    description: '描述',
    commands: '命令',
    exit: '退出状态',
    exits: {
      0: '正常、已完成或无事可做。',
      1: '有需要查看之处：已降级，但仍在服务。',
      2: '未在服务、数据有风险、被拒绝，或失败但没有半途而废的改动。',
      3: '无法得知：用法或配置有误，或此处没有集群。',
      4: '半途：已开始而未结束。',
      130: '被中断，已清理。',
    },
    seeAlso: '另见',
  },
} as const;

/** @param agents for the list of further pages */
export function commandManPage(
  whole: Help,
  each: ReadonlyMap<string, Help>,
  agents: readonly string[],
  language: Language,
  edition: Edition,
): string {
  const say = words[language];
  const lines = [
    head('tsha', 8, say.manual, edition),
    `.SH ${quoted(say.name)}`,
    `tsha \\- ${filled(say.short)}`,
    `.SH ${quoted(say.synopsis)}`,
    '.B tsha',
    '.I command',
    '[options]',
    `.SH ${quoted(say.description)}`,
    ...prose(whole.usage.join('\n\n'), '.PP'),
    ...whole.blocks.flatMap((block) => [`.SS ${quoted(block.title)}`, ...block.rows.flatMap(row)]),
    `.SH ${quoted(say.commands)}`,
    ...[...each].flatMap(([name, { usage, blocks }]) => [
      `.SS ${quoted(`tsha ${name}`)}`,
      ...prose(usage.join('\n\n'), '.PP'),
      ...blocks.flatMap(({ rows }) => rows.flatMap(row)),
    ]),
    `.SH ${quoted(say.exit)}`,
    ...Object.entries(say.exits).flatMap(([term, text]) => row({ term, text })),
    `.SH ${quoted(say.seeAlso)}`,
    ...agents.map((name) => `.BR ${roff(`ocf_tsha_${name}`)} (7),`),
    '.BR pcs (8),',
    '.BR crm_mon (8)',
  ];
  return `${lines.join('\n')}\n`;
}

const row = ({ term, text }: Row): readonly string[] => ['.TP', `.B ${roff(term)}`, filled(text || '-')];
