import { decodeOctal, type Mount, tidyPath } from '../../lib/host/storage/mounts.ts';
import { familyOf } from './fstypes.ts';
import { optionValue } from './wanted.ts';

/**
 * A name of a server's or of a FUSE filesystem as its kind compares it: no letter case in host names, none at all for SMB; no
 * doubled or trailing slashes; SMB's backslashes; without the program of `sshfs#host:/path`. An address that is asked for is the
 * name of the server that the mount talks to at it.
 */
export function sourceName(text: string, mount: Mount): string {
  const family = familyOf(mount.type);
  const name = text.trim().replace(/^[\w.+-]+#/, '');
  if (family === 'cifs' || /^[/\\]{2}/.test(name))
    return `/${tidyPath(name.replaceAll('\\', '/'))}`.toLowerCase();
  // user@server:/path, [v6]:/path
  // (1)  (2)   (3)
  const remote = /^(?:([^/@]*)@)?(\[[^\]]*\]|[^/:]+):(.*)$/.exec(name);
  if (!remote) return name.startsWith('/') ? tidyPath(name) : name;
  const [, user, server = '', path = ''] = remote;
  const host = server.toLowerCase().replace(/\.$/, '');
  const isAddressed = host.replace(/^\[|\]$/g, '') === optionValue(mount.superOptions.join(','), 'addr');
  const itself = isAddressed ? serverOf(mount.source) : host;
  return `${user === undefined ? '' : `${user}@`}${itself}:${path.startsWith('/') ? tidyPath(path) : path.replace(/(?<!\/)\/+$/, '')}`;
}

const serverOf = (source: string): string =>
  /^(\[[^\]]*\]|[^/:]+):/.exec(source)?.[1]?.toLowerCase().replace(/\.$/, '') ?? source;

/** Whether an overlay has other layers than the options ask for; paths are shown as they were given. */
export function hasOtherLayers({ superOptions }: Mount, options: string): boolean {
  return (['upperdir', 'lowerdir'] as const).some((layer) => {
    const asked = optionValue(options, layer);
    const shown = layersOf(superOptions, layer);
    return asked !== undefined && shown.length > 0 && asked !== shown.join(':');
  });
}

/** The directories of one kind of layer: `lowerdir=/a:/b`, or since Linux 6.8 also `lowerdir+=/a,lowerdir+=/b`. */
export const layersOf = (
  superOptions: readonly string[],
  ...layers: readonly ('upperdir' | 'lowerdir' | 'workdir')[]
): readonly string[] =>
  superOptions.flatMap((option) => {
    const [, layer = '', path = ''] = /^(\w+)\+?=(.*)$/.exec(option) ?? [];
    return (layers as readonly string[]).includes(layer) ? decodeOctal(path).split(':') : [];
  });
