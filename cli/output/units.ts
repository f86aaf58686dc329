import { localTime } from '../../lib/contract/local-time.ts';

/** An amount of data for people: `260 KiB`, `1.4 GiB`; `?` when it is unknown. */
export function amount(kib: number | null): string {
  if (kib === null) return '?';
  const units = ['KiB', 'MiB', 'GiB', 'TiB'];
  let value = kib;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${value >= 10 || Number.isInteger(value) ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** `45 s`, `2 min 5 s`, `3 h 10 min` */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

const days = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const two = (number: number) => String(number).padStart(2, '0');

/** A moment in local time, as long as it has to be: `03:04:12` today, `Tue 21:14` this week, else the date. */
export function clock(at: number, now: number): string {
  const [then, today] = [localTime(new Date(at)), localTime(new Date(now))];
  const time = `${two(then.getUTCHours())}:${two(then.getUTCMinutes())}`;
  const date = then.toISOString().slice(0, 10);
  if (date === today.toISOString().slice(0, 10)) return `${time}:${two(then.getUTCSeconds())}`;
  const age = now - at;
  return age >= 0 && age < 6 * 86_400_000 ? `${days[then.getUTCDay()]} ${time}` : `${date} ${time}`;
}

/** The head of a screen: `Wed 03:04:12` */
export function dayAndTime(at: number): string {
  const then = localTime(new Date(at));
  return `${days[then.getUTCDay()]} ${two(then.getUTCHours())}:${two(then.getUTCMinutes())}:${two(then.getUTCSeconds())}`;
}
