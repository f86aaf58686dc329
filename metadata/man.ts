import type { ParamSpec, ParamTable } from '../lib/contract/params.ts';
import type { Described } from './catalogue.ts';
import { filled, literal, paragraphs, quoted, roff } from './roff.ts';
import { actionTimings } from './xml.ts';

// Manual pages from what the program itself declares: pure functions.

export const languages = ['en', 'zh-CN'] as const;
export type Language = (typeof languages)[number];

/** What every page's head says. */
export type Edition = { readonly version: string /** YYYY-MM-DD */; readonly date: string };

const words = {
  en: {
    manual: 'OCF resource agents',
    name: 'NAME',
    synopsis: 'SYNOPSIS',
    description: 'DESCRIPTION',
    parameters: 'SUPPORTED PARAMETERS',
    actions: 'SUPPORTED ACTIONS',
    crmExample: 'EXAMPLE CRM SHELL',
    pcsExample: 'EXAMPLE PCS COMMAND',
    seeAlso: 'SEE ALSO',
    required: 'required',
    unique: 'unique',
    reloadable: 'reloadable',
    defaultIs: (value: string) => `default ${value}`,
    oneOf: (values: readonly string[]) => `one of ${values.join(', ')}`,
    parametersAre: 'A resource sets these; a call by hand gives each as OCF_RESKEY_name in the environment.',
    actionsAre: 'Advised timeouts and intervals:',
    timeout: (value: string) => `timeout ${value}`,
    interval: (value: string) => `interval ${value}`,
    depth: (value: number) => `check level ${value}`,
    role: (value: string) => `role ${value}`,
  },
  'zh-CN': {
    manual: 'OCF 资源代理',
    name: '名称',
    synopsis: '概要',
    description: '描述',
    parameters: '支持的参数',
    actions: '支持的操作',
    crmExample: 'CRM SHELL 示例',
    pcsExample: 'PCS 命令示例',
    seeAlso: '另见',
    required: '必需',
    unique: '唯一',
    reloadable: '可重新加载',
    defaultIs: (value: string) => `默认 ${value}`,
    oneOf: (values: readonly string[]) => `可取 ${values.join('、')}`,
    parametersAre: '由资源设置；手工调用时在环境变量 OCF_RESKEY_名称 中给出。',
    actionsAre: '建议的超时和间隔：',
    timeout: (value: string) => `超时 ${value}`,
    interval: (value: string) => `间隔 ${value}`,
    depth: (value: number) => `检查级别 ${value}`,
    role: (value: string) => `角色 ${value}`,
  },
} as const;

/** The page ocf_tsha_<Agent>(7). */
export function agentManPage(
  { agent, prose: texts }: Described,
  language: Language,
  edition: Edition,
): string {
  const say = words[language];
  const page = `ocf_tsha_${agent.name}`;
  const zh = texts['zh-CN'];
  const text =
    language === 'en' ? { short: agent.short, long: texts.en.long } : { short: zh.short, long: zh.long };
  const paramText = (name: string, spec: ParamSpec) =>
    language === 'en' ? { short: spec.short, long: texts.en.params[name] ?? '' } : zh.params[name];
  const actions = [...new Set(actionTimings(agent).map(([name]) => name))];
  const lines = [
    head(page, 7, say.manual, edition),
    `.SH ${quoted(say.name)}`,
    `${roff(page)} \\- ${filled(text.short)}`,
    `.SH ${quoted(say.synopsis)}`,
    `.B ${roff(`/usr/lib/ocf/resource.d/tsha/${agent.name}`)}`,
    filled(`[${actions.join(' | ')}]`),
    `.SH ${quoted(say.description)}`,
    ...prose(text.long, '.PP'),
    `.SH ${quoted(say.parameters)}`,
    filled(say.parametersAre),
    ...Object.entries(agent.params).flatMap(([name, spec]) => [
      '.TP',
      `.B ${roff(name)}`,
      filled(`(${properties(spec, say)})`),
      ...prose(paramText(name, spec)?.long || spec.short, '.IP'),
    ]),
    `.SH ${quoted(say.actions)}`,
    roff(say.actionsAre),
    ...actionTimings(agent).flatMap(([name, { timeout, interval, depth, role }]) => [
      '.TP',
      `.B ${roff(name)}`,
      roff(
        [
          say.timeout(timeout),
          ...(interval ? [say.interval(interval)] : []),
          ...(depth ? [say.depth(depth)] : []),
          ...(role ? [say.role(role)] : []),
        ].join(', '),
      ),
    ]),
    `.SH ${quoted(say.crmExample)}`,
    ...literal(crmExample(agent)),
    `.SH ${quoted(say.pcsExample)}`,
    ...literal(pcsExample(agent)),
    `.SH ${quoted(say.seeAlso)}`,
    '.BR tsha (8),',
    '.BR pcs (8),',
    '.BR crm (8),',
    '.BR crm_resource (8)',
  ];
  return `${lines.join('\n')}\n`;
}

const properties = (spec: ParamSpec, say: (typeof words)[Language]): string =>
  [
    spec.type,
    ...(spec.required ? [say.required] : []),
    ...(spec.uniqueGroup ? [say.unique] : []),
    ...(spec.reloadable ? [say.reloadable] : []),
    ...(spec.default === undefined || spec.default === '' ? [] : [say.defaultIs(String(spec.default))]),
    ...(spec.type === 'select' ? [say.oneOf(spec.options)] : []),
  ].join(', ');

type Agent = Described['agent'];

const requiredParams = ({ params }: Agent): readonly string[] =>
  Object.entries(params as ParamTable).flatMap(([name, { required }]) =>
    required ? [`${name}=${name.toUpperCase()}`] : [],
  );

function monitorsOf(agent: Agent) {
  return actionTimings(agent).filter(([name]) => name === 'monitor');
}

const pcsExample = (agent: Agent): readonly string[] =>
  continued([
    `pcs resource create p_${agent.name} ocf:tsha:${agent.name}`,
    ...requiredParams(agent),
    ...monitorsOf(agent).map(
      ([, { timeout, interval = '10s', role }]) =>
        `op monitor interval=${interval} timeout=${timeout}${role ? ` role=${role}` : ''}`,
    ),
    ...(agent.actions.promote ? ['promotable notify=true'] : []),
  ]);

const crmExample = (agent: Agent): readonly string[] => [
  ...continued([
    `primitive p_${agent.name} ocf:tsha:${agent.name}`,
    ...requiredParams(agent).map((one, index) => (index === 0 ? `params ${one}` : one)),
    ...monitorsOf(agent).map(
      ([, { timeout, interval = '10s', role }]) =>
        `op monitor interval=${interval} timeout=${timeout}${role ? ` role=${role}` : ''}`,
    ),
  ]),
  ...(agent.actions.promote
    ? [`clone c_${agent.name} p_${agent.name} meta promotable=true notify=true`]
    : []),
];

const continued = (parts: readonly string[]): readonly string[] =>
  parts.map((one, index) => `${index === 0 ? '' : '  '}${one}${index < parts.length - 1 ? ' \\' : ''}`);

/** Prose with a request between its paragraphs: `.PP` in a section, `.IP` in a list. */
export const prose = (text: string, between: '.PP' | '.IP'): readonly string[] =>
  paragraphs(text).flatMap((one, index) => (index === 0 ? [one] : [between, one]));

export const head = (page: string, section: number, manual: string, { version, date }: Edition): string =>
  `.TH ${quoted(page.toUpperCase())} ${section} "${date}" ${quoted(`tsha ${version}`)} ${quoted(manual)}`;
