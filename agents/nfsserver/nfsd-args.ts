import type { Ctx } from './params.ts';

/** Keys of nfs.conf's section [nfsd] and their values. */
export type NfsdKeys = { readonly [key: string]: string };

type Option = { readonly names: readonly string[]; readonly key: string; readonly value?: string };

/** rpc.nfsd(8)'s options that take a value, and the key that means the same. */
const withValue: readonly Option[] = [
  { names: ['-p', '--port', '-P'], key: 'port' },
  { names: ['-G', '--grace-time'], key: 'grace-time' },
  { names: ['-L', '--lease-time'], key: 'lease-time' },
  { names: ['-H', '--host'], key: 'host' },
  { names: ['-N', '--no-nfs-version'], key: 'vers', value: 'n' },
  { names: ['-V', '--nfs-version'], key: 'vers', value: 'y' },
];

const flags: readonly Option[] = [
  { names: ['-t', '--tcp'], key: 'tcp', value: 'y' },
  { names: ['-T', '--no-tcp'], key: 'tcp', value: 'n' },
  { names: ['-u', '--udp'], key: 'udp', value: 'y' },
  { names: ['-U', '--no-udp'], key: 'udp', value: 'n' },
  { names: ['-d', '--debug'], key: 'debug', value: 'all' },
  { names: ['-r', '-R', '--rdma'], key: 'rdma', value: 'y' },
  { names: ['-s', '--syslog'], key: '' }, // has no effect on what the kernel does
];

const wordsIn = (text: string | undefined): string[] => (text ?? '').split(/\s+/).filter(Boolean);

/** The arguments as settings, or the sentence that says what is wrong with them. */
export function readNfsdArgs(text: string | undefined): NfsdKeys | string {
  const keys: Record<string, string> = {};
  const words = wordsIn(text);
  while (words.length > 0) {
    const word = words.shift() ?? '';
    if (/^\d+$/.test(word)) {
      keys['threads'] = word;
      continue;
    }
    const [name = '', attached] = splitOption(word);
    if (name === '--rdma' && attached !== undefined) {
      keys['rdma'] = 'y';
      keys['rdma-port'] = attached;
      continue;
    }
    const flag = flags.find(({ names }) => names.includes(name));
    if (flag && attached === undefined) {
      if (flag.key) keys[flag.key] = flag.value ?? 'y';
      continue;
    }
    const option = withValue.find(({ names }) => names.includes(name));
    if (!option) return `nfsd_args: "${word}" is no option of rpc.nfsd that nfs.conf has a setting for`;
    const value = attached ?? words.shift() ?? '';
    const wrong = wrongValue(option.key, value);
    if (wrong) return `nfsd_args: ${name} needs ${wrong}, not "${value}"`;
    if (option.key === 'vers') keys[`vers${value}`] = option.value ?? 'y';
    else keys[option.key] = option.key === 'host' && keys['host'] ? `${keys['host']},${value}` : value;
  }
  return keys;
}

/** The words for an rpc.nfsd that does not read nfs.conf: without a grace time where lockd has its own, since it would give lockd that. */
export function argsFor({
  nfsd_args,
  lockd_grace_time,
}: Pick<Ctx['params'], 'nfsd_args' | 'lockd_grace_time'>): readonly string[] {
  const words = wordsIn(nfsd_args);
  if (lockd_grace_time === undefined) return words;
  return words.filter(
    (word, index) => !/^(-G|--grace-time)/.test(word) && !/^(-G|--grace-time)$/.test(words[index - 1] ?? ''),
  );
}

/** `--port=2049`, `-p2049`, `-p`. */
function splitOption(word: string): readonly [string, string?] {
  const [, long, value] = /^(--[a-z-]+)(?:=(.*))?$/.exec(word) ?? [];
  if (long !== undefined) return value === undefined ? [long] : [long, value];
  return word.length > 2 ? [word.slice(0, 2), word.slice(2)] : [word];
}

function wrongValue(key: string, value: string): string | undefined {
  switch (key) {
    case 'host':
      return /^[\w.:%-]+$/.test(value) ? undefined : 'an address or host name';
    case 'vers':
      return /^(2|3|4|4\.[0-2])$/.test(value) ? undefined : 'a version: 2, 3, 4, 4.0, 4.1 or 4.2';
    case 'port':
      return /^[\w-]+$/.test(value) ? undefined : 'a port';
    default:
      return /^\d+$/.test(value) ? undefined : 'a number of seconds';
  }
}
