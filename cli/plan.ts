import { isIP } from 'node:net';
import type { CommandModule } from 'yargs';
import { type NfsStack, pcsCommands, shellLine } from './stack.ts';

type Options = NfsStack & { readonly file: string | undefined };

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
        prefix: { number: true, default: 24, describe: 'Its prefix length' },
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
      .check(({ ip, ...others }) => {
        if (isIP(ip) === 0) throw new Error(`--ip ${ip} is not an address`);
        for (const [name, value] of Object.entries(others))
          if (typeof value === 'string' && /\s/.test(value))
            throw new Error(`--${name} "${value}" must not hold a blank`);
        return true;
      }) as never,
  handler: (options) => {
    const pcs = options.file ? ['pcs', '-f', options.file] : ['pcs'];
    for (const command of pcsCommands(options)) console.log(shellLine([...pcs, ...command]));
  },
};
