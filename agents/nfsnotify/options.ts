/** What notify_args asks for, in sm-notify's words. */
export type Options = {
  /** `-d`: start waits for every client. */
  readonly wait: boolean;
  /** `-n`: the state number stays. */
  readonly keepState: boolean;
  /** `-m`: minutes until a client that does not answer is given up; 0 is never. */
  readonly minutes: number;
  /** `-p`: source port. */
  readonly port?: number;
};

const defaults: Options = { wait: false, keepState: false, minutes: 15 };

/** The options, or the sentence that says what is wrong with them. */
export function readOptions(text: string | undefined): Options | string {
  let options = defaults;
  const words = (text ?? '').trim().split(/\s+/).filter(Boolean);
  while (words.length > 0) {
    const word = words.shift() ?? '';
    const letter = word.slice(0, 2);
    const value = () => Number(word.length > 2 ? word.slice(2) : (words.shift() ?? ''));
    if (word === '-d') options = { ...options, wait: true };
    else if (word === '-n') options = { ...options, keepState: true };
    else if (letter === '-m') options = { ...options, minutes: value() };
    else if (letter === '-p') options = { ...options, port: value() };
    else return `notify_args: "${word}" is none of -d, -n, -m minutes, -p port`;
  }
  const { minutes, port = 1 } = options;
  if (!Number.isInteger(minutes) || minutes < 0) return 'notify_args: -m needs a number of minutes';
  if (!Number.isInteger(port) || port < 1 || port > 65535)
    return 'notify_args: -p needs a port from 1 to 65535';
  return options;
}
