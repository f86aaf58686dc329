import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

// Who may import whom: the direction of the architecture. Types count as well, because a reader has to follow them too.

const project = resolve(import.meta.dirname, '../..');
const sources = ['agents', 'cli', 'lib', 'metadata', 'packaging'].flatMap((folder) =>
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

/** The run loop composes the host, and the declarations speak of its type; the contract itself knows no machine. */
const rules: readonly Rule[] = [
  { from: /^agents\/(\w+)\//, mayImport: [/^agents\/OWN\//, /^lib\//] },
  { from: /^lib\/contract\//, mayImport: [/^lib\/contract\//] },
  { from: /^lib\/host\/sys\//, mayImport: [/^lib\/host\/sys\//] },
  { from: /^lib\/host\//, mayImport: [/^lib\/(contract|host)\//] },
  {
    from: /^lib\/findings\//,
    mayImport: [/^lib\/(contract|findings)\//, /^lib\/host\/drbd\/(configuration|fencing)\.ts$/],
  },
  {
    from: /^lib\/ocf\//,
    mayImport: [
      /^lib\/(contract|ocf)\//,
      /^lib\/host\/(sys\/[\w-]+|host|jobs|memory|storage\/file-jobs)\.ts$/,
    ],
  },
  {
    from: /^metadata\/catalogue\.ts$/,
    mayImport: [/^(metadata|lib\/(contract|ocf))\//, /^agents\/\w+\/agent\.ts$/],
  },
  {
    from: /^metadata\/[\w-]+\/(\w+)\.ts$/,
    mayImport: [/^(metadata|lib\/(contract|ocf))\//, /^agents\/OWN\/params\.ts$/],
  },
  { from: /^metadata\/version\.ts$/, mayImport: [/^package\.json$/] },
  { from: /^metadata\//, mayImport: [/^(metadata|lib\/(contract|ocf))\//] },
  {
    from: /^cli\//,
    mayImport: [
      /^(cli|lib|metadata)\//,
      /^agents\/\w+\/(agent|params)\.ts$/,
      /^node_modules\/yargs\/locales\//,
    ],
  },
  { from: /^packaging\//, mayImport: [/^(packaging|metadata|lib\/(contract|ocf))\//] },
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
    ['lib/contract/params.ts', "import { x } from '../host/storage/mounts.ts';"],
    ['lib/contract/params.ts', "import { x } from '../ocf/run.ts';"],
    ['lib/ocf/run.ts', "import { x } from '../host/storage/mounts.ts';"],
    ['lib/host/sys/sys.ts', "import { x } from '../host.ts';"],
    ['lib/host/storage/mounts.ts', "import { x } from '../../ocf/run.ts';"],
    ['lib/host/storage/mounts.ts', "import {\n  x,\n} from '../../../agents/drbd/agent.ts';"],
    ['metadata/en/drbd.ts', "import { x } from '../../agents/exportfs/params.ts';"],
    ['cli/main.ts', "import { x } from '../agents/drbd/start.ts';"],
  ])('%s may not say %j', (file, text) => {
    expect(violations(file, text)).toHaveLength(1);
  });

  test('there are no junk drawers and no barrels', () => {
    expect(sources.filter((file) => /(^|\/)(utils?|helpers?|common|index)(\/|\.ts$)/.test(file))).toEqual([]);
  });
});

/** Every circle of imports once, as the files on it in the order in which they import each other. */
function circles(importsOf: ReadonlyMap<string, readonly string[]>): readonly (readonly string[])[] {
  const found: string[][] = [];
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): void => {
    const at = path.indexOf(file);
    if (at >= 0) found.push(path.slice(at));
    if (at >= 0 || done.has(file)) return;
    for (const next of importsOf.get(file) ?? []) visit(next, [...path, file]);
    done.add(file);
  };
  for (const file of importsOf.keys()) visit(file, []);
  return found;
}

describe('circles of imports', () => {
  test('there are none', () => {
    const all = sources.map(
      (file) => [file, imports(file, readFileSync(join(project, file), 'utf8'))] as const,
    );
    expect(circles(new Map(all))).toEqual([]);
  });

  test.each([
    ['two files', { a: ['b'], b: ['a'] }, [['a', 'b']]],
    ['three files behind a fourth', { x: ['a'], a: ['b'], b: ['c'], c: ['a'] }, [['a', 'b', 'c']]],
    ['a file and itself', { a: ['a'] }, [['a']]],
    ['a diamond is none', { a: ['b', 'c'], b: ['d'], c: ['d'], d: [] }, []],
  ])('%s', (_, files, expected) => {
    expect(circles(new Map(Object.entries<readonly string[]>(files)))).toEqual(expected);
  });
});

/**
 * Tools that touch files by their names, and why these may: below the state directory and on exported filesystems, whoever is root on a
 * client may have put anything there, so all else goes through lib/host/storage/beneath.ts.
 */
const byName: Readonly<Record<string, string>> = {
  'agents/IPaddr2/change.ts': 'numbers of the kernel below /proc/sys of a namespace',
  'agents/exportfs/release.ts': 'a file of nfsd below /proc',
  'agents/nfsserver/kernel.ts': 'files of nfsd below /proc',
  'agents/nfsserver/settings.ts': 'a link of ours below /etc',
  'agents/nfsserver/sysconfig.ts': "the administrator's /etc/sysconfig/nfs and its backup",
  'agents/Filesystem/deep-monitor.ts': 'the disk itself, by the name that the kernel knows',
  'lib/host/nfs/clients.ts': 'a file of nfsd below /proc',
  'lib/host/nfs/nfsd-threads.ts': 'a file of nfsd below /proc',
  'lib/host/nfs/export-flush.ts': 'files of the kernel below /proc',
  'lib/host/storage/file-jobs.ts': 'a path that is pinned to a file that was looked at',
  'lib/host/storage/managed-files.ts':
    'mount points and links that this machine’s root has named in parameters; what root itself links from the local state directory',
};

describe('files of others are opened in one way only', () => {
  const fileTools =
    /\[\s*'(?:cat|cp|chgrp|chmod|chown|dd|find|grep|head|install|ln|mkdir|mv|od|rm|rmdir|sed|tee|touch|truncate)',/;
  const found = sources.filter(
    (file) => /^(agents|lib)\//.test(file) && fileTools.test(readFileSync(join(project, file), 'utf8')),
  );

  test('no other file runs a tool on a name', () => {
    expect(found.toSorted()).toEqual(Object.keys(byName).toSorted());
  });

  test.each([
    ["host.run(['cat', '--', path])", true],
    ["const argv = [\n  'dd',\n  path]", true],
    ["beneath(host, dir, 'readFile', { path })", false],
  ])('%j', (text, isFound) => {
    expect(fileTools.test(text)).toBe(isFound);
  });
});
