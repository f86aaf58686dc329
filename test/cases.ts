import Table from 'cli-table3';
import { casesIn, type SpecifiedAgent, specifiedAgents, specifiedCases } from './specification.ts';

/** Which cases of docs/specification the passed tests of each tier have shown. */
export class CaseCount {
  readonly #shown = new Map<string, Record<SpecifiedAgent, Set<number>>>();

  add(tier: string, titles: readonly string[]): void {
    const found = Object.fromEntries(specifiedAgents.map((agent) => [agent, new Set<number>()]));
    const shown = found as Record<SpecifiedAgent, Set<number>>;
    for (const title of titles) for (const [agent, number] of casesIn(title)) shown[agent].add(number);
    if (specifiedAgents.some((agent) => shown[agent].size > 0)) this.#shown.set(tier, shown);
  }

  missing(agent: SpecifiedAgent): number[] {
    const shown = [...this.#shown.values()].map((tier) => tier[agent]);
    return specifiedCases(agent).filter((number) => !shown.some((tier) => tier.has(number)));
  }

  /** Whether there is anything to tell: the compiler and the linter show no cases. */
  get isAnyShown(): boolean {
    return this.#shown.size > 0;
  }

  get isComplete(): boolean {
    return specifiedAgents.every((agent) => this.missing(agent).length === 0);
  }

  /** Real DRBD, real nfsd and real clusters are in the lab's column. */
  table(): string {
    const tiers = [...this.#shown.keys()];
    const table = new Table({
      style: { head: [], border: [] },
      head: ['agent', 'specified cases', ...tiers.map((tier) => `shown by ${tier}`), 'not shown'],
    });
    for (const agent of specifiedAgents)
      table.push([
        agent,
        specifiedCases(agent).length,
        ...tiers.map((tier) => this.#shown.get(tier)?.[agent].size ?? 0),
        inRanges(this.missing(agent)) || 'none',
      ]);
    return table.toString();
  }
}

/** `1-3,7`: the spelling that titles use. */
function inRanges(numbers: readonly number[]): string {
  const ranges: [number, number][] = [];
  for (const number of numbers) {
    const last = ranges.at(-1);
    if (last?.[1] === number - 1) last[1] = number;
    else ranges.push([number, number]);
  }
  return ranges.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(',');
}
