import { test } from 'vitest';
import { installedStock, laterStock, type Stock } from './stock.ts';

/** What the stock agent does wrong: what came of the same story with each agent. Without an entry an agent is not asked. */
export type Defect = {
  readonly id: string;
  readonly what: string;
  /** The distribution's release, 4.12. */
  readonly installed?: unknown;
  /** 4.18, where the defect came after 4.12, or its first remedy was another defect. */
  readonly later?: unknown;
  readonly ours: unknown;
};
/** Whose turn it is; `release` is `undefined` for ours. */
export type Agent = { readonly name: 'ours' | 'installed' | 'later'; readonly release: Stock | undefined };

const names = { installed: 'stock 4.12', later: 'stock 4.18', ours: 'ours' };

/** One test per defect and agent; `play` sets the stage, has the story told and compares what came of it. */
export function testDefects<D extends Defect>(
  defects: readonly D[],
  play: (defect: D, agent: Agent, expected: unknown) => Promise<void>,
): void {
  let later: Promise<Stock | undefined> | undefined;
  const all = defects.flatMap((defect) =>
    (['installed', 'later', 'ours'] as const)
      .filter((name) => name in defect)
      .map((name) => [`${defect.id}, ${names[name]}: ${defect.what}`, name, defect] as const),
  );
  test.for(all)('%s', async ([, name, defect], { skip }) => {
    if (name === 'later') later ??= laterStock();
    const release = { installed: installedStock, later: await later, ours: undefined }[name];
    if (name === 'later' && !release) skip('stock agents of 4.18 cannot be had here');
    await play(defect, { name, release }, defect[name]);
  });
}
