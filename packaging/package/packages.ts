import { join } from 'node:path';
import { type File, type Flavour, filesOf, type Layout, programPath, runnerPath } from '../files.ts';
import type { Places } from '../launcher.ts';
import type { Architecture } from '../native.ts';

/** A package to build, of whatever format. */
export type Package = {
  readonly name: string;
  /** The other flavour: both lay the same files, so one replaces the other. */
  readonly other: string;
  readonly flavour: Flavour;
  /** `undefined`: runs on every machine. */
  readonly arch: Architecture | undefined;
  /** Where its executables have been built. */
  readonly built: string;
};

export const names: Readonly<Record<Flavour, string>> = {
  native: 'tsha-resource-agents',
  script: 'tsha-resource-agents-nodejs',
};

export const packageOf = (flavour: Flavour, built: string, arch?: Architecture): Package => ({
  name: names[flavour],
  other: names[flavour === 'native' ? 'script' : 'native'],
  flavour,
  arch,
  built,
});

export const placesOf = ({ flavour }: Package): Places =>
  flavour === 'native' ? { runtime: programPath } : { runtime: '/usr/bin/node', runner: runnerPath };

/** What a package lays, without what its format adds. */
export const filesIn = (one: Package, layout: Layout): readonly File[] =>
  filesOf(one.flavour, placesOf(one), layout, one.built);

export const summary = 'Pacemaker resource agents for a highly available NFS server';

export const description = ({ flavour }: Package): readonly string[] => [
  'OCF resource agents of the provider tsha: drbd, Filesystem, nfsserver,',
  'exportfs, nfsnotify and IPaddr2, with the parameters and exit codes of the',
  'shell agents they stand in for, and the command tsha for those who operate',
  'such a cluster.',
  '',
  ...(flavour === 'native'
    ? ['This is the native flavour: one compiled program that needs no runtime.']
    : ['This is the script flavour: one JavaScript file per agent, for Node.js 20', 'or newer.']),
];

export const docDirOf = ({ name }: Pick<Package, 'name'>): string => join('/usr/share/doc', name);
