import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectFolder } from './products.ts';

/** The one place of the version is package.json. */
export const version: string = (
  JSON.parse(readFileSync(join(projectFolder, 'package.json'), 'utf8')) as { version: string }
).version;

/**
 * Seconds since 1970 that everything built carries as its date: SOURCE_DATE_EPOCH, else the last commit's. Two builds of the same
 * sources have the same bytes.
 */
export function sourceDate(): number {
  const given = process.env['SOURCE_DATE_EPOCH'];
  if (given) return Number(given);
  try {
    return Number(
      execFileSync('git', ['log', '-1', '--format=%ct'], {
        cwd: projectFolder,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      }),
    );
  } catch {
    return 1_767_225_600; // an unpacked archive: 2026-01-01
  }
}
