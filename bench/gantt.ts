import { actionsWithin, type Timeline } from '../test/lab/report/timeline.ts';
import { escapeXml, svg, width } from './svg.ts';

/** What is drawn in which colour: the way down, DRBD's part, the way up, and what waits for nobody. */
const colours: readonly (readonly [RegExp, string, string])[] = [
  [/^(stop|demote)/, '#7f8fa6', 'stop, demote'],
  [/^notify/, '#c9b458', 'notify'],
  [/^promote/, '#8e5ea2', 'promote'],
  [/^start/, '#1f77b4', 'start'],
  [/^(monitor|probe)/, '#d0d4da', 'monitor'],
];
const [labelWidth, row, top, heading] = [220, 13, 52, 34];

export type Chart = { readonly title: string; readonly timeline: Timeline };

/** When each action ran, chart below chart on one scale of seconds, as an SVG document. */
export function gantt(title: string, charts: readonly Chart[]): string {
  const longest = Math.max(...charts.map(({ timeline: { since, until } }) => until - since));
  const scale = (width - labelWidth - 20) / longest;
  const body: string[] = [];
  let y = top;
  for (const { title, timeline } of charts) {
    const actions = actionsWithin(timeline);
    const [from, height] = [y + heading, actions.length * row];
    body.push(`<text x="8" y="${y + 14}" font-weight="bold">${escapeXml(title)}</text>`);
    for (let second = 0; second <= longest; second += 5) {
      const x = (labelWidth + second * scale).toFixed(1);
      body.push(
        `<line x1="${x}" x2="${x}" y1="${from - 4}" y2="${from + height}" stroke="#e4e4e4"/>`,
        `<text x="${x}" y="${from - 7}" text-anchor="middle" font-size="9">${second} s</text>`,
      );
    }
    actions.forEach(({ node, action, resource, from: begun, to }, n) => {
      const at = from + n * row;
      const x = labelWidth + Math.max(0, begun - timeline.since) * scale;
      const length = Math.max(1.5, (Math.min(to, timeline.until) - Math.max(begun, timeline.since)) * scale);
      const colour = colours.find(([pattern]) => pattern.test(action))?.[1] ?? '#d0d4da';
      body.push(
        `<text x="${labelWidth - 8}" y="${at + 9}" text-anchor="end" font-size="10">${escapeXml(`${node} ${action} ${resource}`)}</text>`,
        `<rect x="${x.toFixed(1)}" y="${at + 1}" width="${length.toFixed(1)}" height="${row - 3}" fill="${colour}"/>`,
      );
    });
    y = from + height + 10;
  }
  const entries = colours.map(([, colour, label]) => [colour, label] as const);
  return svg({ title, height: y, legend: { from: labelWidth, step: 110, entries }, body });
}
