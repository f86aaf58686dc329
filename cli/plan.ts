import type { CommandModule } from 'yargs';
import { addressFamily, canonicalIp } from '../lib/host/net/address-text.ts';
import { type NfsStack, pcsCommands, shellLine } from './stack.ts';

type Options = Omit<NfsStack, 'prefix'> & {
  readonly prefix: string | undefined;
  readonly file: string | undefined;
};

/** `tsha plan`: the pcs commands for a highly available NFS server, to read, change and run. */
export const plan: CommandModule<object, Options> = {
  command: 'plan',
  describe: 'Print the pcs commands that make a highly available NFS server on two machines',
  builder: (yargs) =>
    yargs
      .options({
        'drbd-resource': { string: true, default: 'data', describe: 'Resource name in drbd.conf' },
        device: { string: true, default: '/dev/drbd1', describe: 'Its device' },
        directory: { string: true, default: '/nfsdata', describe: 'Mount point, and what is exported' },
        fstype: { string: true, default: 'xfs', describe: 'Filesystem on the device' },
        ip: { string: true, demandOption: true, describe: 'Address that clients mount from' },
        prefix: {
          string: true,
          requiresArg: true,
          describe: 'Its prefix length; 24 for IPv4 and found by route for IPv6 when not given',
        },
        nic: { string: true, describe: 'Its network interface; found by route when not given' },
        clients: { string: true, default: '*', describe: 'Who may mount, as in exports(5)' },
        'export-options': { string: true, default: 'rw,sync,no_root_squash', describe: 'Export options' },
        address: {
          choices: ['last', 'first'] as const,
          default: 'last' as const,
          describe:
            'Address after the export (clients only wait) or first in the group (clients may see errors)',
        },
        provider: { choices: ['tsha', 'stock'] as const, default: 'tsha' as const, describe: 'Whose agents' },
        file: {
          alias: 'f',
          string: true,
          describe: 'CIB file to work on instead of the live cluster (pcs -f)',
        },
      })
      .check(requireUsable) as never,
  handler: ({ prefix, ...options }) => {
    const bits = prefix ?? (addressFamily(options.ip) === 4 ? '24' : undefined);
    const pcs = options.file ? ['pcs', '-f', options.file] : ['pcs'];
    const stack = { ...options, ...(bits !== undefined && { prefix: Number(bits) }) };
    for (const command of pcsCommands(stack)) console.log(shellLine([...pcs, ...command]));
  },
};

/** What can be told of the options without the cluster; yargs prints what is thrown. */
function requireUsable(options: Readonly<Record<string, unknown>>): true {
  for (const [name, value] of Object.entries(options)) {
    if (name === '_') continue;
    if (Array.isArray(value)) throw new Error(`--${name} is given more than once`);
    if (value === '') throw new Error(`--${name} has no value`);
    if (typeof value === 'string' && /\s/.test(value))
      throw new Error(`--${name} "${value}" must not hold a blank`);
  }
  const { ip, prefix } = options as { readonly ip: string; readonly prefix?: string };
  if (canonicalIp(ip) === undefined) throw new Error(`--ip ${ip} is not an address`);
  const longest = addressFamily(ip) === 4 ? 32 : 128;
  if (prefix !== undefined && !(/^[1-9]\d{0,2}$/.test(prefix) && Number(prefix) <= longest))
    throw new Error(`--prefix ${prefix} is not a prefix length from 1 to ${longest}`);
  return true;
}
