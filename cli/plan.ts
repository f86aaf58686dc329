import type { CommandModule } from 'yargs';
import { addressFamily, canonicalIp } from '../lib/host/net/address-text.ts';
import { type CommonOptions, languageHere, perform } from './command.ts';
import { helpIn } from './output/help.ts';
import { type NfsStack, pcsCommands, shellLine } from './stack.ts';

type Options = Omit<NfsStack, 'prefix' | 'ip'> &
  CommonOptions & {
    readonly ip: string | undefined;
    readonly prefix: string | undefined;
    readonly file: string | undefined;
    readonly config: string | undefined;
    readonly as: 'pcs' | 'crm' | 'xml';
  };

const help = helpIn(languageHere(process.argv));

/** `tsha plan`: what makes the pair that the configuration describes; with `--ip`, the pcs commands for what the options say. */
export const plan: CommandModule<object, Options> = {
  command: 'plan',
  describe: help.plan,
  builder: (yargs) =>
    yargs
      .options({
        config: { alias: 'c', string: true, requiresArg: true, describe: help.config },
        as: { choices: ['pcs', 'crm', 'xml'] as const, default: 'pcs' as const, describe: help.as },
        lang: { choices: ['en', 'zh'] as const, describe: help.lang },
        'drbd-resource': { string: true, default: 'data', describe: 'Resource name in drbd.conf' },
        device: { string: true, default: '/dev/drbd1', describe: 'Its device' },
        directory: { string: true, default: '/nfsdata', describe: 'Mount point, and what is exported' },
        fstype: { string: true, default: 'xfs', describe: 'Filesystem on the device' },
        ip: {
          string: true,
          describe: 'Address that clients mount from; with it the options are read and no file',
        },
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
  handler: async ({ prefix, ip, ...options }) => {
    if (ip === undefined) {
      const { planFromFile } = await import('./plan/command.ts');
      await perform(options, (call) => planFromFile(call, options));
      return;
    }
    const bits = prefix ?? (addressFamily(ip) === 4 ? '24' : undefined);
    const pcs = options.file ? ['pcs', '-f', options.file] : ['pcs'];
    const stack = { ...options, ip, ...(bits !== undefined && { prefix: Number(bits) }) };
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
  const { ip, prefix, config } = options as { readonly [name in 'ip' | 'prefix' | 'config']?: string };
  if (ip === undefined) return true;
  if (config !== undefined) throw new Error('--config and --ip exclude each other');
  if (canonicalIp(ip) === undefined) throw new Error(`--ip ${ip} is not an address`);
  const longest = addressFamily(ip) === 4 ? 32 : 128;
  if (prefix !== undefined && !(/^[1-9]\d{0,2}$/.test(prefix) && Number(prefix) <= longest))
    throw new Error(`--prefix ${prefix} is not a prefix length from 1 to ${longest}`);
  return true;
}
