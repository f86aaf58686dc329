import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

// Who may import whom: the direction of the architecture. Types count as well, because a reader has to follow them too.

const project = resolve(import.meta.dirname, '../..');
const sources = ['agents', 'build', 'cli', 'lib', 'metadata'].flatMap((folder) =>
  readdirSync(join(project, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => join(folder, file)),
);

/** Files of this project that a text imports, relative to its root. */
function imports(file: string, text: string): readonly string[] {
  const specifiers = [...text.matchAll(/\b(?:from|import)\s*\(?\s*['"](\.{1,2}\/[^'"]+)['"]/g)];
  return specifiers.map(([, specifier = '']) =>
    relative(project, resolve(project, dirname(file), specifier)),
  );
}

type Rule = { readonly from: RegExp; readonly mayImport: readonly RegExp[] };

/** The run loop composes the host, and the declarations speak of its type; nothing else of the contract knows the machine. */
const rules: readonly Rule[] = [
  { from: /^agents\/(\w+)\//, mayImport: [/^agents\/OWN\//, /^lib\/(ocf|host)\//] },
  { from: /^lib\/ocf\/(main|run|agent|memory|trace)\.ts$/, mayImport: [/^lib\//] },
  { from: /^lib\/ocf\//, mayImport: [/^lib\/ocf\//] },
  {
    from: /^lib\/host\//,
    mayImport: [/^lib\/host\//, /^lib\/ocf\/(log|memory|outcome|params|reason|request)\.ts$/],
  },
  { from: /^metadata\/catalogue\.ts$/, mayImport: [/^(metadata|lib\/ocf)\//, /^agents\/\w+\/agent\.ts$/] },
  {
    from: /^metadata\/[\w-]+\/(\w+)\.ts$/,
    mayImport: [/^(metadata|lib\/ocf)\//, /^agents\/OWN\/params\.ts$/],
  },
  { from: /^metadata\//, mayImport: [/^(metadata|lib\/ocf)\//] },
  { from: /^cli\//, mayImport: [/^(cli|lib|metadata)\//, /^agents\/\w+\/(agent|params)\.ts$/] },
  { from: /^build\//, mayImport: [/^(build|metadata|lib\/ocf)\//] },
];

function violations(file: string, text: string): readonly string[] {
  const rule = rules.find(({ from }) => from.test(file));
  if (!rule) return [`${file} has no rule`];
  const own = rule.from.exec(file)?.[1] ?? '';
  const allowed = rule.mayImport.map(({ source }) => new RegExp(source.replace('OWN', own)));
  return imports(file, text)
    .filter((target) => !allowed.some((pattern) => pattern.test(target)))
    .map((target) => `${file} imports ${target}`);
}

describe('dependency direction', () => {
  test.each(sources)('%s', (file) => {
    expect(violations(file, readFileSync(join(project, file), 'utf8'))).toEqual([]);
  });

  test.each([
    ['agents/drbd/start.ts', "import { x } from '../Filesystem/params.ts';"],
    ['agents/drbd/start.ts', "const x = await import('../../cli/main.ts');"],
    ['agents/drbd/start.ts', "import type { X } from '../../metadata/xml.ts';"],
    ['lib/ocf/params.ts', "import { x } from '../host/mounts.ts';"],
    ['lib/host/mounts.ts', "import { x } from '../ocf/run.ts';"],
    ['lib/host/mounts.ts', "import {\n  x,\n} from '../../agents/drbd/agent.ts';"],
    ['metadata/en/drbd.ts', "import { x } from '../../agents/exportfs/params.ts';"],
    ['cli/main.ts', "import { x } from '../agents/drbd/start.ts';"],
  ])('%s may not say %j', (file, text) => {
    expect(violations(file, text)).toHaveLength(1);
  });

  test('there are no junk drawers and no barrels', () => {
    expect(sources.filter((file) => /(^|\/)(utils?|helpers?|common|index)(\/|\.ts$)/.test(file))).toEqual([]);
  });
});
