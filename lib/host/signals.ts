/**
 * signal(7), as every architecture has them that Linux clusters run on. node:os knows them too, and takes a thirtieth of a monitor's
 * time to load.
 */
const numbers: Readonly<Record<string, number>> = {
  ...{ SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGILL: 4, SIGTRAP: 5, SIGABRT: 6, SIGIOT: 6, SIGBUS: 7 },
  ...{ SIGFPE: 8, SIGKILL: 9, SIGUSR1: 10, SIGSEGV: 11, SIGUSR2: 12, SIGPIPE: 13, SIGALRM: 14, SIGTERM: 15 },
  ...{ SIGSTKFLT: 16, SIGCHLD: 17, SIGCONT: 18, SIGSTOP: 19, SIGTSTP: 20, SIGTTIN: 21, SIGTTOU: 22 },
  ...{ SIGURG: 23, SIGXCPU: 24, SIGXFSZ: 25, SIGVTALRM: 26, SIGPROF: 27, SIGWINCH: 28, SIGIO: 29 },
  ...{ SIGPOLL: 29, SIGPWR: 30, SIGSYS: 31 },
};

/** By name, with or without SIG in front, in any case, or by number; `undefined` for one that does not exist. */
export function signalNumber(word: string): number | undefined {
  if (/^\d+$/.test(word)) return Object.values(numbers).find((number) => number === Number(word));
  return numbers[word.toUpperCase().replace(/^(SIG)?/, 'SIG')];
}

export const signalName = (number: number): string =>
  Object.entries(numbers).find(([, value]) => value === number)?.[0] ?? String(number);
