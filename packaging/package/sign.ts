import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { execa } from 'execa';

/** TSHA_SIGNING_KEY holds a secret key without passphrase, as `gpg --armor --export-secret-keys` prints it; its public half is laid beside. */
/** What whoever downloads it checks the signature with. */
const keyFile = 'tsha-signing-key.asc';

export async function sign(file: string): Promise<void> {
  const key = process.env['TSHA_SIGNING_KEY'];
  if (!key) {
    console.error(`${basename(file)} is not signed: TSHA_SIGNING_KEY has no key`);
    return;
  }
  const home = await mkdtemp(join(tmpdir(), 'tsha-gpg-'));
  const gpg = (args: readonly string[], input = '') =>
    execa('gpg', ['--homedir', home, '--batch', '--quiet', '--no-tty', ...args], { input });
  try {
    await gpg(['--import'], key);
    await gpg(['--armor', '--detach-sign', '--output', `${file}.asc`, file]);
    await gpg(['--armor', '--output', join(dirname(file), keyFile), '--export']);
  } finally {
    await execa('gpgconf', ['--homedir', home, '--kill', 'all'], { reject: false });
    await rm(home, { recursive: true, force: true });
  }
}
