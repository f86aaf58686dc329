import { execa } from 'execa';

/**
 * A loop device of a file or device, that nobody else has open. Another test's mount(8) was told of the same free number and lost the race
 * for it: it has the device open until it has asked for the next one.
 */
export async function loopOf(path: string): Promise<string> {
  const { stdout: device } = await execa('losetup', ['--find', '--show', path]);
  await execa('sh', ['-c', 'while fuser -s "$0"; do sleep 0.1; done', device], { timeout: 120_000 });
  return device;
}
