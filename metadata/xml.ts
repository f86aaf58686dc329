import type { ParamSpec, ParamTable } from '../lib/contract/params.ts';
import type { AgentDef, EnglishProse, Prose, Timing } from '../lib/ocf/agent.ts';
import { grammar } from './grammar.ts';
import { version } from './version.ts';

export type Languages<T extends ParamTable> = { readonly en: EnglishProse<T>; readonly 'zh-CN': Prose<T> };

/** The OCF 1.1 meta-data document: a pure function of the declaration and its prose. English first: pcs and crmsh show the first. */
export function metadataXml<T extends ParamTable>(
  agent: AgentDef<T>,
  { en, 'zh-CN': zh }: Languages<T>,
): string {
  const lines = [
    '<?xml version="1.0"?>',
    grammar,
    `<resource-agent${attributes({ name: agent.name, version })}>`,
    '  <version>1.1</version>',
    ...described('  ', [
      ['en', agent.short, en.long],
      ['zh-CN', zh.short, zh.long],
    ]),
    '  <parameters>',
    ...Object.entries(agent.params).flatMap(([name, spec]) =>
      parameter(name, spec, isOnlyMember(agent.params, spec), [
        ['en', spec.short, en.params[name as keyof T]],
        ['zh-CN', zh.params[name as keyof T].short, zh.params[name as keyof T].long],
      ]),
    ),
    '  </parameters>',
    '  <actions>',
    ...actionTimings(agent).map(([name, timing]) => `    <action${attributes({ name, ...timing })} />`),
    '  </actions>',
    '</resource-agent>',
  ];
  return `${lines.join('\n')}\n`;
}

type Texts = readonly (readonly [lang: string, short: string, long: string])[];

/** Every advertised action with its timing, `meta-data` included. */
export function actionTimings<T extends ParamTable>(
  agent: AgentDef<T>,
): readonly (readonly [string, Timing])[] {
  const rows = Object.entries(agent.actions) as [string, Timing & { readonly also?: readonly Timing[] }][];
  return [
    ...rows.flatMap(([name, action]) =>
      [action, ...(action.also ?? [])].map(({ timeout, interval, depth, role }) => {
        // crmsh finds a monitor by role and depth only if every monitor line has them.
        const level = name === 'monitor' ? (depth ?? 0) : depth;
        return [
          name,
          {
            timeout,
            ...(interval && { interval }),
            ...(level !== undefined && { depth: level }),
            ...(role && { role }),
          },
        ] as const;
      }),
    ),
    ...checkLevels(agent),
    ['meta-data', { timeout: '5s' }],
  ];
}

/**
 * The monitor's further depths, under the name of its alias: whoever reads the document sees them, and neither pcs nor crmsh
 * makes an operation of a `status`.
 */
function checkLevels<T extends ParamTable>({
  actions: { monitor },
}: AgentDef<T>): readonly (readonly [string, Timing])[] {
  return (monitor.depths ?? []).map((depth) => ['status', { timeout: monitor.timeout, depth }]);
}

/** crmsh knows only `unique`: it is true to `unique-group` where the group has one member. */
const isOnlyMember = (table: ParamTable, { uniqueGroup }: ParamSpec): boolean =>
  uniqueGroup !== undefined &&
  Object.values(table).filter((other) => other.uniqueGroup === uniqueGroup).length === 1;

function parameter(name: string, spec: ParamSpec, unique: boolean, texts: Texts): readonly string[] {
  const content = {
    type: spec.type,
    default: spec.default === undefined ? undefined : String(spec.default),
  };
  return [
    `    <parameter${attributes({
      name,
      'unique-group': spec.uniqueGroup,
      unique: unique ? 1 : undefined,
      required: spec.required && 1,
      reloadable: spec.reloadable && 1,
    })}>`,
    ...described('      ', texts),
    spec.type === 'select'
      ? `      <content${attributes(content)}>${spec.options.map((value) => `<option${attributes({ value })} />`).join('')}</content>`
      : `      <content${attributes(content)} />`,
    '    </parameter>',
  ];
}

const described = (indent: string, texts: Texts): readonly string[] => [
  ...texts.map(
    ([lang, , long]) => `${indent}<longdesc${attributes({ lang })}>${escapeXml(long.trim())}</longdesc>`,
  ),
  ...texts.map(
    ([lang, short]) => `${indent}<shortdesc${attributes({ lang })}>${escapeXml(short)}</shortdesc>`,
  ),
];

const attributes = (values: { readonly [name: string]: string | number | false | undefined }): string =>
  Object.entries(values)
    .filter(([, value]) => value !== undefined && value !== false)
    .map(([name, value]) => ` ${name}="${escapeXml(String(value))}"`)
    .join('');

const entities: Readonly<Record<string, string>> = { '<': '&lt;', '>': '&gt;', '&': '&amp;', '"': '&quot;' };
const escapeXml = (text: string): string =>
  text.replace(/[<>&"]/g, (character) => entities[character] ?? character);
