const units: { readonly [unit: string]: number } = { s: 1, m: 60, min: 60, h: 3600, d: 86_400, w: 604_800 };

/** `90s`, `10m`, `2h`, `1d`; `14:30` of today or, where that is to come, of yesterday; `2026-11-29`, `2026-11-29 14:30`. Null for other words. */
export function readSince(text: string, now: number): number | null {
  const [, count, unit = ''] = /^(\d{1,6})(s|m|min|h|d|w)$/.exec(text.trim()) ?? [];
  if (count !== undefined) return now - Number(count) * (units[unit] ?? 0) * 1000;
  const [, date, time = '00:00'] = /^(\d{4}-\d\d-\d\d)?[ T]?(\d\d:\d\d(?::\d\d)?)?$/.exec(text.trim()) ?? [];
  if (date !== undefined) {
    const at = Date.parse(`${date}T${time}`);
    return Number.isNaN(at) ? null : at;
  }
  if (!/^\d\d:\d\d(:\d\d)?$/.test(text.trim())) return null;
  const [hours = 0, minutes = 0, seconds = 0] = text.trim().split(':').map(Number);
  if (hours > 23 || minutes > 59 || seconds > 59) return null;
  const at = new Date(now).setHours(hours, minutes, seconds, 0);
  return at > now ? at - 86_400_000 : at;
}
