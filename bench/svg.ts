/** Columns of every drawing, in pixels: the whole of it, and what its labels have. */
export const width = 900;

export type Drawing = {
  readonly title: string;
  readonly height: number;
  /** A coloured square and its word, side by side: where the first one stands, and how far the next. */
  readonly legend: {
    readonly from: number;
    readonly step: number;
    readonly entries: readonly (readonly [colour: string, label: string])[];
  };
  readonly body: readonly string[];
};

/** An SVG document with a title and a legend above what is drawn. */
export function svg({ title, height, legend: { from, step, entries }, body }: Drawing): string {
  const legend = entries.map(
    ([colour, label], n) =>
      `<rect x="${from + n * step}" y="26" width="10" height="10" fill="${colour}"/>` +
      `<text x="${from + n * step + 14}" y="35">${escapeXml(label)}</text>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="sans-serif" font-size="11">
<title>${escapeXml(title)}</title>
<rect width="100%" height="100%" fill="white"/>
<text x="8" y="16" font-size="13">${escapeXml(title)}</text>
${[...legend, ...body].join('\n')}
</svg>
`;
}

export const escapeXml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
