import { accessSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { labFolder } from './settings.ts';

const neededPackages = readFileSync(join(labFolder, 'packages.txt'), 'utf8').trim().split('\n');

/** Why the lab cannot run on this machine; nothing when it can. */
export async function obstacles(): Promise<string[]> {
  if (process.getuid?.() !== 0) return ['it needs root, to make network namespaces and images'];
  const found = await Promise.all([tunDevice(), networkNamespaces(), missingPackages()]);
  return found.filter((obstacle) => obstacle !== undefined);
}

async function tunDevice(): Promise<string | undefined> {
  try {
    accessSync('/dev/net/tun');
    return undefined;
  } catch {
    return '/dev/net/tun is not there';
  }
}

async function networkNamespaces(): Promise<string | undefined> {
  const { failed, stderr } = await execa('unshare', ['--net', 'true'], { reject: false });
  return failed ? `network namespaces cannot be made here: ${stderr}` : undefined;
}

async function missingPackages(): Promise<string | undefined> {
  const { stdout } = await execa('dpkg', ['--get-selections', ...neededPackages], { reject: false });
  const installed = [...stdout.matchAll(/^([^\s:]+)\S*\s+install$/gm)].map(([, name]) => name);
  const missing = neededPackages.filter((name) => !installed.includes(name));
  return missing.length > 0 ? `Debian packages are missing: apt-get install ${missing.join(' ')}` : undefined;
}
