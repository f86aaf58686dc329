import { commandFailure, type Host } from '../host.ts';
import { hasFields, isListOf, isObject, type Json, readJson } from '../json.ts';
import { inNamespace, type Namespace } from './namespaces.ts';

/** The family of a table, as nft calls it. */
export type TableFamily = 'ip' | 'ip6' | 'arp';

export type Rule = {
  readonly chain: string;
  readonly handle: number;
  /** What whoever made it wants to know it by. */
  readonly comment: string;
  readonly drops: boolean;
  /** The interface that it matches; of one that is gone its index, which no later one gets. */
  readonly iif?: string;
  /** What a rule for a part of the packets compares. */
  readonly hash?: Hash;
};

export type Hash = { readonly mod: number; readonly seed?: number };

export type Table = {
  /** Another one when the table was deleted and made again. */
  readonly handle: number;
  /** In their order. */
  readonly rules: readonly Rule[];
};

/** `undefined` when there is no such table. */
export async function tableNamed(
  host: Host,
  namespace: Namespace,
  family: TableFamily,
  table: string,
): Promise<Table | undefined> {
  const argv = inNamespace(namespace, ['nft', '-j', 'list', 'table', family, table]);
  const output = await host.tryRun(argv);
  if (output.code === 0) return parseRules(output.stdout);
  if (output.stderr.includes('No such file or directory')) return undefined;
  throw commandFailure(argv, output);
}

type Entry = {
  readonly table?: { readonly handle: number };
  readonly rule?: {
    readonly chain: string;
    readonly handle: number;
    readonly comment?: string;
    readonly expr: readonly object[];
  };
};

const isRuleset = (value: unknown): value is { readonly nftables: readonly Entry[] } =>
  hasFields(value, { nftables: 'list' }) && isListOf(isEntry)(value['nftables']);

const isEntry = (value: unknown): value is Entry =>
  isObject(value) &&
  (!Object.hasOwn(value, 'table') || hasFields(value['table'], { handle: 'number' })) &&
  (!Object.hasOwn(value, 'rule') ||
    (hasFields(value['rule'], { chain: 'string', handle: 'number', 'comment?': 'string', expr: 'list' }) &&
      isListOf(isObject)(value['rule']['expr'])));

/**
 * `nft -j list table ip IPaddr2_192_0_2_20`, in short:
 *
 *     {"nftables":[{"metainfo":{…}},{"table":{"family":"ip","name":"IPaddr2_192_0_2_20","handle":7}},{"chain":{…}},
 *       {"rule":{"chain":"prerouting","handle":4,"comment":"cip-node-1","expr":[{"match":
 *         {"op":"==","left":{"jhash":{"mod":3,"seed":1478186391,"offset":1,"expr":{…}}},"right":1}},{"accept":null}]}},
 *                           (5)
 *       {"rule":{"chain":"prerouting","handle":5,"expr":[{"match":
 *                (1)                  (2)        (3)
 *         {"op":"==","left":{"meta":{"key":"iif"}},"right":"eth0"}},{"drop":null}]}}]}
 *                                            (6)                    (4)
 *
 * (1) chain, (2) the handle to delete it by, (3) statements, (4) one that drops, (5) a hash, (6) the interface. A rule need not have a comment.
 * Entries of other kinds are passed over. Throws `Failure`.
 */
export function parseRules(text: string): Table {
  const { nftables } = readJson(text, 'nft -j list table', isRuleset);
  const handle = nftables.find(({ table }) => table)?.table?.handle ?? 0;
  const rules = nftables.flatMap(({ rule }) => {
    if (rule === undefined) return [];
    const { chain, handle, comment = '', expr } = rule;
    const hash = expr.map(hashIn).find((one) => one);
    const iif = expr.map(iifIn).find((one) => one);
    const drops = expr.some((statement) => 'drop' in statement);
    return [{ chain, handle, comment, drops, ...(iif && { iif }), ...(hash && { hash }) }];
  });
  return { handle, rules };
}

function matchIn(statement: object): { readonly left: Json; readonly right: unknown } | undefined {
  const match = 'match' in statement ? statement.match : undefined;
  return isObject(match) && isObject(match['left'])
    ? { left: match['left'], right: match['right'] }
    : undefined;
}

function iifIn(statement: object): string | undefined {
  const match = matchIn(statement);
  const meta = match?.left['meta'];
  const { right } = match ?? {};
  const isIif = isObject(meta) && meta['key'] === 'iif';
  return isIif && (typeof right === 'string' || typeof right === 'number') ? String(right) : undefined;
}

function hashIn(statement: object): Hash | undefined {
  const jhash = matchIn(statement)?.left['jhash'];
  if (!hasFields(jhash, { mod: 'number', 'seed?': 'number' })) return undefined;
  const { mod, seed } = jhash as Hash;
  return { mod, ...(seed !== undefined && { seed }) };
}

/** Carries out `nft` commands, one a line: all of them, or none. */
export async function changeRules(host: Host, namespace: Namespace, lines: readonly string[]): Promise<void> {
  const input = lines.map((line) => `${line}\n`).join('');
  await host.run(inNamespace(namespace, ['nft', '-f', '-']), { input });
}
