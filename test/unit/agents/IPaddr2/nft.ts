type Rule = { readonly handle: number; readonly text: string };
type Table = { readonly handle: number; lastHandle: number; readonly rules: Rule[] };

/** As much of nftables as the agent uses. A file of commands changes all or nothing; handles never come back within a table. */
export class Nft {
  private tables = new Map<string, Table>();
  private lastHandle = 0;

  /** What `nft` answers. */
  readonly answer = (args: readonly string[], { input }: { readonly input?: string | Uint8Array }) => {
    if (input === undefined) return this.list(args.slice(-2).join(' '));
    const before = structuredClone(this.tables);
    try {
      for (const line of String(input).split('\n').filter(Boolean)) this.change(line);
      return '';
    } catch (error) {
      this.tables = before;
      return { code: 1, stderr: `Error: Could not process rule: ${(error as Error).message}\n` };
    }
  };

  /** What the rules of a table end in, `undefined` without the table. */
  ends = (name: string): readonly string[] | undefined =>
    this.tables.get(name)?.rules.map(({ text }) => commentIn(text) ?? text.split(' ').at(-1) ?? '');

  texts = (name: string): readonly string[] => this.tables.get(name)?.rules.map(({ text }) => text) ?? [];

  names = (): readonly string[] => [...this.tables.keys()];

  private list(name: string) {
    const table = this.tables.get(name);
    if (!table) return { code: 1, stderr: 'Error: No such file or directory\n' };
    const rules = table.rules.map(({ handle, text }) => ({
      rule: {
        ...{ chain: 'prerouting', handle, comment: commentIn(text) },
        expr: [...hashIn(text), text.endsWith(' drop') ? { drop: null } : { accept: null }],
      },
    }));
    return JSON.stringify({ nftables: [{ table: { handle: table.handle } }, ...rules] });
  }

  private change(line: string): void {
    const [verb, kind, family, name, chain, ...rest] = line.split(' ');
    const path = name === 'handle' ? this.pathOf(Number(chain)) : `${family} ${name}`;
    if (kind === 'table') {
      this.changeTable(verb, path);
      return;
    }
    const table = this.tables.get(path);
    if (!table) throw new Error('No such file or directory');
    if (verb === 'flush') table.rules.length = 0;
    if (kind !== 'rule') return;
    if (verb === 'delete') {
      const at = table.rules.findIndex(({ handle }) => handle === Number(rest.at(-1)));
      if (at < 0) throw new Error('No such file or directory');
      table.rules.splice(at, 1);
      return;
    }
    table.lastHandle += 1;
    const rule = { handle: table.lastHandle, text: rest.join(' ') };
    if (verb === 'add') table.rules.push(rule);
    else table.rules.unshift(rule);
  }

  private changeTable(verb: string | undefined, path: string): void {
    const isThere = this.tables.has(path);
    if (verb === 'create' && isThere) throw new Error('File exists');
    if (verb === 'delete' && !this.tables.delete(path)) throw new Error('No such file or directory');
    if (verb === 'delete' || isThere) return;
    this.lastHandle += 1;
    this.tables.set(path, { handle: this.lastHandle, lastHandle: 1, rules: [] });
  }

  private pathOf = (handle: number): string =>
    [...this.tables].find(([, table]) => table.handle === handle)?.[0] ?? '';
}

const hashIn = (text: string): readonly object[] => {
  const [, mod, seed, right] = / mod (\d+) seed (\w+) offset 1 == (\d+)/.exec(text) ?? [];
  if (mod === undefined) return [];
  const jhash = { mod: Number(mod), seed: Number(seed), offset: 1 };
  return [{ match: { op: '==', left: { jhash }, right: Number(right) } }];
};

const commentIn = (text: string): string | undefined => /comment "(.*)"/.exec(text)?.[1];
