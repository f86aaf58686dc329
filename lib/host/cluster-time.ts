/** A time as the cluster's configuration spells it, in seconds: `20s`, `500ms`, `2min`, `PT1M`; null for another spelling. */
export function secondsIn(text: string): number | null {
  const [, number = '', unit = 's'] = /^(\d+)\s*(ms|msec|us|usec|s|sec|m|min|h|hr)?$/.exec(text.trim()) ?? [];
  if (number !== '') return Number(number) * (unitSeconds[unit] ?? 1);
  const [, hours, minutes, seconds] = /^PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?$/.exec(text) ?? [];
  if (hours === undefined && minutes === undefined && seconds === undefined) return null;
  return Number(hours ?? 0) * 3600 + Number(minutes ?? 0) * 60 + Number(seconds ?? 0);
}
const unitSeconds: { readonly [unit: string]: number } = {
  ms: 0.001,
  msec: 0.001,
  us: 0.000001,
  usec: 0.000001,
  m: 60,
  min: 60,
  h: 3600,
  hr: 3600,
};
