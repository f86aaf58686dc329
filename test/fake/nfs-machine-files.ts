import type { Output } from '../../lib/host/sys/sys.ts';
import type { NfsMachine } from './nfs-machine.ts';

export const no = (stderr: string, code = 1): Partial<Output> => ({ code, stderr });

/** The commands that reach files on managed storage. */
export function defineFileTools(machine: NfsMachine): void {
  machine.on('stat', (args) => {
    const paths = args.slice(args.indexOf('--') + 1).map((path) => machine.where(path));
    if (args.includes('-f')) return machine.isFull ? '0 4096\n' : '90000 4096\n';
    if (args.includes('-L')) {
      const [path = ''] = paths;
      if (machine.disk.has(`${path}/`)) return '8:1 9 directory\n';
      return machine.disk.has(path) ? '8:1 9 regular file\n' : no('No such file or directory');
    }
    return no('stat: unexpected');
  });
  machine.on('mkdir', (args) => {
    for (const dir of args.slice(args.indexOf('--') + 1)) {
      if (machine.disk.has(machine.where(dir))) return no(`mkdir: ${dir}: File exists`);
      machine.disk.set(`${machine.where(dir)}/`, '');
    }
    return '';
  });
  machine.on('ln', (args) => {
    const [target = '', link = ''] = args.slice(-2);
    machine.links.set(link, target);
    return '';
  });
  machine.on('sync', () => '');
  machine.on(
    'cat',
    ([file = '']) => machine.files.get(file) ?? no(`cat: ${file}: No such file or directory`),
  );
  machine.on('tee', ([file = ''], { input = '' }) => {
    if (!machine.files.has(file)) return no(`tee: ${file}: No such file or directory`);
    machine.files.set(file, String(input));
    return String(input);
  });
}
