import { Failure } from '../../lib/contract/outcome.ts';
import type { Params } from '../../lib/contract/params.ts';
import type { params } from './params.ts';

/** What the parameters ask for. */
export type Wanted = {
  /** Comma separated addresses and names that clients mount from; unset, the kernel chooses. */
  readonly hosts: string | undefined;
  /** `-d`: start waits for every client. */
  readonly wait: boolean;
  /** `-n`: the state number stays. */
  readonly keepState: boolean;
  /** `-m`: minutes until a client that does not answer is given up; 0 is never. */
  readonly minutes: number;
  /** `-p`: source port. */
  readonly port?: number;
};

/** Throws `Failure` for a notify_args that cannot be read; the agent's rules have refused it before. */
export function wanted({ params: { source_host, notify_args } }: WithParams): Wanted {
  const read = readArgs(notify_args);
  if (typeof read === 'string') throw new Failure('misconfigured', read);
  return { hosts: source_host, ...read };
}

type WithParams = { readonly params: Pick<Params<typeof params>, 'source_host' | 'notify_args'> };

type Args = Omit<Wanted, 'hosts'>;

const defaults: Args = { wait: false, keepState: false, minutes: 15 };

/** notify_args, in sm-notify's words, or the sentence that says what is wrong with it. */
export function readArgs(text: string | undefined): Args | string {
  let args = defaults;
  const words = (text ?? '').trim().split(/\s+/).filter(Boolean);
  while (words.length > 0) {
    const word = words.shift() ?? '';
    const letter = word.slice(0, 2);
    const value = () => Number(word.length > 2 ? word.slice(2) : (words.shift() ?? ''));
    if (word === '-d') args = { ...args, wait: true };
    else if (word === '-n') args = { ...args, keepState: true };
    else if (letter === '-m') args = { ...args, minutes: value() };
    else if (letter === '-p') args = { ...args, port: value() };
    else return `notify_args: "${word}" is none of -d, -n, -m minutes, -p port`;
  }
  const { minutes, port = 1 } = args;
  if (!Number.isInteger(minutes) || minutes < 0) return 'notify_args: -m needs a number of minutes';
  if (!Number.isInteger(port) || port < 1 || port > 65535)
    return 'notify_args: -p needs a port from 1 to 65535';
  return args;
}
