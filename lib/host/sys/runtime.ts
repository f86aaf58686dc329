import type { Children } from './children.ts';

/**
 * Loaded when a program is to be started: a monitor that only reads /proc never pays for it. Bun has a way of its own because its
 * node:child_process brings all of node:net along, 5 ms and 9 MiB of every action that runs a command.
 */
export const children = (): Promise<Children> =>
  process.versions['bun'] ? import('./children-bun.ts') : import('./children-node.ts');
