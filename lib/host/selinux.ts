import type { Host } from './host.ts';

/** Whether the kernel runs with SELinux, enforcing or not. */
export const hasSelinux = (host: Host): Promise<boolean> =>
  host.sys.facts('/sys/fs/selinux/enforce').then(
    () => true,
    () => false,
  );
