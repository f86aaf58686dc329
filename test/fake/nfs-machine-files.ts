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
  machine.on('touch', (args) => {
    for (const file of args.slice(1))
      machine.disk.set(machine.where(file), machine.disk.get(machine.where(file)) ?? '');
    return '';
  });
  machine.on('chown', (args) => {
    const [owner = '', ...paths] = args.slice(args.indexOf('--') + 1);
    for (const path of paths) machine.owners.set(machine.where(path), owner);
    return '';
  });
  machine.on('od', (args) => {
    const bytes = machine.disk.get(machine.where(args.at(-1) ?? ''));
    if (!(bytes instanceof Uint8Array)) return no(`od: ${args.at(-1)}: No such file or directory`);
    return ` ${new Int32Array(bytes.slice().buffer)[0]}\n`;
  });
  machine.on('dd', (args, { input = '' }) => {
    const operand = (name: string) => args.find((arg) => arg.startsWith(`${name}=`))?.slice(name.length + 1);
    const file = operand('of') ?? '';
    const mayCreate = !args.some((arg) => arg.includes('nocreat'));
    if (!mayCreate && !machine.disk.has(machine.where(file))) return no('No such file');
    const isNew = !machine.disk.has(machine.where(file)) || operand('if') === '/dev/urandom';
    if (machine.isFull && isNew) return no(`dd: error writing '${file}': No space left on device`);
    const content = { '/dev/null': operand('seek') ? '\0' : '', '/dev/urandom': 'reserved' }[
      operand('if') ?? ''
    ];
    machine.disk.set(machine.where(file), content ?? input);
    return '';
  });
  machine.on('ln', (args) => {
    const [target = '', link = ''] = args.slice(-2);
    machine.links.set(link, target);
    return '';
  });
  machine.on('sync', () => '');
  machine.on('mv', (args) => {
    const [from = '', to = ''] = args.slice(-2).map((path) => machine.where(path));
    machine.disk.set(to, machine.disk.get(from) ?? '');
    machine.disk.delete(from);
    return '';
  });
  machine.on('cat', (args) => {
    const text = machine.disk.get(machine.where(args.at(-1) ?? ''));
    return text === undefined ? no('cat: x: No such file or directory') : String(text);
  });
  machine.on('find', (args) => {
    if (args.includes('+1')) {
      const here = machine.where(args[0] ?? '');
      const [, bak = ''] = /^(.*)\/%f\\0$/.exec(args.at(-1) ?? '') ?? [];
      return [...machine.secondNames.values()]
        .filter((first) => first.startsWith(`${here}/`) && machine.disk.has(first))
        .map((first) => `${bak}/${first.slice(here.length + 1)}\0`)
        .join('');
    }
    if (args.includes('-printf')) return inventory(machine, args.slice(0, args.indexOf('-maxdepth')));
    const from = machine.where(args[0] ?? '');
    const to = machine.where(args[args.indexOf('-t') + 1] ?? '');
    if (args.includes('-newerct')) {
      const found = [...machine.disk.keys()].find(
        (path) => path.startsWith(`${from}/`) && path !== `${from}/`,
      );
      return found && machine.retiredLately ? `${found}\n` : '';
    }
    const links = args.includes('ln');
    if (links && !machine.hasHardLinks) return no('ln: Operation not permitted');
    if (args.includes('cp') && machine.isFull) return no('cp: No space left on device');
    const copies = args.includes('cp') || links;
    const onlyOld = args.includes('-newermt');
    for (const [path, text] of [...machine.disk]) {
      if (!path.startsWith(`${from}/`) || path.endsWith('/') || (onlyOld && machine.young.has(path)))
        continue;
      const other = `${to}/${path.slice(from.length + 1)}`;
      if (links && [...machine.secondNames.values()].includes(path)) continue;
      if (!copies && machine.secondNames.get(other) === path)
        return no(`mv: '${path}' and '${other}' are the same file`);
      if (links) machine.secondNames.set(other, path);
      if (!copies) machine.disk.delete(path);
      machine.disk.set(other, text);
    }
    return '';
  });
  machine.on('grep', (args) => {
    const dir = machine.where(args.at(-1) ?? '');
    const records = [...machine.disk].filter(([path]) => path.startsWith(`${dir}/`) && !path.endsWith('/'));
    return records.map(([path, text]) => `${path}\0${text}\n`).join('') || no('', 1);
  });
  machine.on('rm', (args) => {
    for (const file of args.slice(args.indexOf('--') + 1)) {
      machine.disk.delete(machine.where(file));
      machine.secondNames.delete(machine.where(file));
    }
    return '';
  });
}

/** `find … -maxdepth 1 -printf '%d %y%s %U:%G %H\\0'`. */
function inventory(machine: NfsMachine, asked: readonly string[]): Partial<Output> {
  let stdout = '';
  let code = 0;
  for (const path of asked) {
    const real = machine.where(path);
    if (!machine.disk.has(real) && !machine.disk.has(`${real}/`)) code = 1;
    else {
      const facts = machine.disk.has(`${real}/`) ? 'd4096' : `f${machine.disk.get(real)?.length ?? 0}`;
      stdout += `0 ${facts} ${machine.owners.get(real) ?? '0:0'} ${path}\0`;
    }
    const inside = [...machine.disk.keys()].filter(
      (file) => file.startsWith(`${real}/`) && file !== `${real}/`,
    );
    stdout += inside.map(() => `1 f1 0:0 ${path}\0`).join('');
  }
  return { code, stdout };
}
