/** `statd:x:105:65534::/var/lib/nfs:/usr/sbin/nologin`, passwd(5). */
export function accountIn(
  passwd: string,
  name: string,
): { readonly uid: number; readonly gid: number } | undefined {
  const [line, uid, gid] = new RegExp(`^${name}:[^:]*:(\\d+):(\\d+):`, 'm').exec(passwd) ?? [];
  return line === undefined ? undefined : { uid: Number(uid), gid: Number(gid) };
}
