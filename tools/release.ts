import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectFolder } from '../packaging/products.ts';
import { closed, follows, notesOf } from './changelog.ts';

// The two ends of a release; between them ./build.sh release writes the golden meta-data, tests everything and makes the packages.
//   prepare VERSION   the version into package.json and its lock, the changelog's heading closed
//   tag               one commit and an annotated tag with what the changelog says

const file = (name: string): string => join(projectFolder, name);
const read = (name: string): string => readFileSync(file(name), 'utf8');
const git = (...args: string[]): string =>
  execFileSync('git', args, { cwd: projectFolder, encoding: 'utf8' }).trim();
const versionOf = (text: string): string => /"version": "([^"]+)"/.exec(text)?.[1] ?? '';

function prepare(version: string): void {
  if (git('status', '--porcelain') !== '')
    throw new Error('the working tree is not clean: commit or stash first');
  const last = versionOf(read('package.json'));
  const first = git('tag', '--list', `v${last}`) === '';
  if (!(first && version === last) && !follows(version, last))
    throw new Error(`${version || 'no version'} does not follow ${last}`);
  const changelog = closed(read('CHANGELOG.md'), version, new Date().toISOString().slice(0, 10));
  writeFileSync(file('CHANGELOG.md'), changelog);
  // The lock file says it twice: for itself and for the package at its root.
  for (const [name, times] of [
    ['package.json', 1],
    ['package-lock.json', 2],
  ] as const) {
    let left = times;
    const text = read(name).replace(/"version": "[^"]+"/g, (all) =>
      left-- > 0 ? `"version": "${version}"` : all,
    );
    writeFileSync(file(name), text);
  }
}

function tag(): void {
  const version = versionOf(read('package.json'));
  git('commit', '--all', '--message', `release ${version}`);
  git(
    'tag',
    '--annotate',
    `v${version}`,
    '--cleanup=verbatim',
    '--message',
    `tsha ${version}\n\n${notesOf(read('CHANGELOG.md'), version)}`,
  );
  console.log(
    `tagged v${version}. To publish it: git push --follow-tags, then attach what is in dist/packages/`,
  );
}

const [step = '', version = ''] = process.argv.slice(2);
try {
  if (step === 'prepare') prepare(version);
  else if (step === 'tag') tag();
  else throw new Error(`no such step: ${step}`);
} catch (error) {
  console.error(`release: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
