import type { Language } from './terminal.ts';

/** What `--help` says, by language. */
const english = {
  usage: '$0 <command>: for the people who run tsha clusters',
  status: 'How it is, worst first, and what to do next',
  watch: 'Again and again, every so many seconds (2)',
  watchNumber: '--watch takes a number of seconds, 1 or more',
  json: 'One JSON object instead of a screen',
  quiet: 'One line; the exit status is what monitoring plugins use',
  color: 'Colours; --no-color without, as with NO_COLOR',
  lang: 'Language; otherwise by the locale',
  which: 'Which command?',
  seeHelp: 'See tsha --help.',
};

type Help = typeof english;

const chinese: Help = {
  usage: '$0 <命令>：供运行 tsha 集群的人使用',
  status: '现在的状况（最严重的在前）以及下一步该做什么',
  watch: '每隔若干秒刷新（默认 2）',
  watchNumber: '--watch 需要一个不小于 1 的秒数',
  json: '输出一个 JSON 对象而不是屏幕',
  quiet: '只输出一行；退出码与监控插件一致',
  color: '颜色；--no-color 关闭，与 NO_COLOR 相同',
  lang: '语言；默认按 locale',
  which: '哪个命令？',
  seeHelp: '参见 tsha --help。',
};

export const helpIn = (language: Language): Help => (language === 'zh' ? chinese : english);
