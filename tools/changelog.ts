const unreleased = /^## (?:[\d.]+, )?unreleased$/m;

/** The changelog with its topmost heading closed for this version. Throws where nothing waits for a release. */
export function closed(changelog: string, version: string, date: string): string {
  const heading = unreleased.exec(changelog);
  if (!heading) throw new Error('CHANGELOG.md has no heading that says "unreleased"');
  const done = changelog.replace(unreleased, `## ${version}, ${date}`);
  if (notesOf(done, version) === '') throw new Error('CHANGELOG.md says nothing about what is unreleased');
  return done;
}

/** What the changelog says about a version, without its heading. */
export function notesOf(changelog: string, version: string): string {
  const [, ...sections] = changelog.split(/^## /m);
  const section = sections.find((text) => text.startsWith(`${version}, `)) ?? '';
  return section.slice(section.indexOf('\n') + 1).trim();
}

/** Whether a version follows another one: `0.2.0` follows `0.1.9`. */
export function follows(next: string, last: string): boolean {
  if (!/^\d+\.\d+\.\d+$/.test(next)) return false;
  const [a, b] = [next, last].map((text) => text.split('.').map(Number));
  const at = a?.findIndex((part, index) => part !== b?.[index]) ?? -1;
  return at >= 0 && (a?.[at] ?? 0) > (b?.[at] ?? 0);
}
