import { Failure } from '../../contract/outcome.ts';
import type { Host } from '../host.ts';

/** major, minor, patch. */
export type Version = readonly [major: number, minor: number, patch: number];

export const versionText = (version: Version): string => version.join('.');

/** `x.y.z` and nothing else; `undefined` otherwise. */
export function parseVersion(text: string): Version | undefined {
  const [, major, minor, patch] = /^(\d+)\.(\d+)\.(\d+)$/.exec(text) ?? [];
  return major === undefined ? undefined : [Number(major), Number(minor), Number(patch)];
}

/** Negative, zero or positive, as for sorting. */
export const compareVersions = (a: Version, b: Version): number => a[0] - b[0] || a[1] - b[1] || a[2] - b[2];

/** The first line of /proc/drbd, of 8.4 and 9 alike. */
export const procVersion = (text: string): Version | undefined =>
  parseVersion(/^version:\s+(\d+\.\d+\.\d+)/.exec(text)?.[1] ?? '');

/** `drbdadm --version` prints shell assignments; the kernel's code is 0 when no module could be asked. */
export function parseToolVersion(text: string): Version | undefined {
  const code = Number(/^DRBD_KERNEL_VERSION_CODE=(0x[0-9a-fA-F]+)$/m.exec(text)?.[1] ?? 0);
  return code > 0 ? [(code >> 16) & 0xff, (code >> 8) & 0xff, code & 0xff] : undefined;
}

/** The version of the kernel module: the loaded one, else the one that would be loaded. Throws `Failure` when there is none. */
export async function kernelVersion(host: Host): Promise<Version> {
  const loaded = procVersion(await host.sys.read('/proc/drbd').catch(() => ''));
  if (loaded) return loaded;
  const told = parseToolVersion((await host.tryRun(['drbdadm', '--version'])).stdout);
  if (told) return told;
  const { stdout } = await host.tryRun(['modinfo', '-F', 'version', 'drbd']);
  const onDisk = parseVersion(/(?<!\d)\d+\.\d+\.\d+/.exec(stdout)?.[0] ?? '');
  if (onDisk) return onDisk;
  throw new Failure('notInstalled', 'the DRBD kernel module is neither loaded nor installed (modinfo drbd)');
}
