import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type Played, stage, there } from './create-stage.ts';

// `tsha drbd create` that does not come to its end: what it takes back, what it leaves alone, and what it says is left to do.

const unreachable = 'cat > /dev/null; echo "ssh: no route" >&2; exit 255';
/** The other node's answer to being looked at, and what it does when it is to make its side. */
const asked = (make: string) => `cat > /dev/null; case "$*" in *-y*) ${make} ;; *) echo 'ANSWER8' ;; esac`;
const states = (cstate: string, dstate: string, more = '') =>
  `case "$*" in ${more} cstate*) printf '${cstate}\\n${cstate}\\n' ;; dstate*) printf '${dstate}\\n${dstate}\\n' ;; esac`;

const taken = /drbdadm down data\n(.*\n)*drbdadm -- --force wipe-md data/;
const lost = /drbdadm down|wipe-md|rm \S+data\.res/;
const backThere = `${there}: drbdadm down data && drbdadm -- --force wipe-md data && rm /etc/drbd.d/data.res`;

describe('the other node has data already: nothing is taken back, and nobody is told to wipe it', () => {
  test.each<readonly [what: string, played: Played]>([
    ['8.4, copying', { drbdadm: states('SyncTarget', 'Inconsistent/UpToDate') }],
    ['8.4, about to copy', { drbdadm: states('WFBitMapT', 'Inconsistent/UpToDate') }],
    ['9', { drbdadm: states('Connected', 'Inconsistent/UpToDate') }],
    ['its copy is old', { drbdadm: states('Connected', 'Inconsistent/Outdated') }],
    ['all is copied already', { drbdadm: states('Connected', 'UpToDate/UpToDate') }],
    [
      'the last step of this side failed',
      { drbdadm: states('SyncTarget', 'Inconsistent/UpToDate'), mkdir: 'echo "no space" >&2; exit 1' },
    ],
  ])('%s', { timeout: 120_000 }, async (_what, played) => {
    const on = await stage({ ssh: unreachable, ...played });
    const answer = await on.call('-y');
    expect(answer, answer.said).toMatchObject({
      code: 4,
      said: expect.stringMatching(new RegExp(`${there} has data already; this side copies from it`)),
    });
    expect(answer.said).toMatch(/→ tsha status/);
    expect(answer.said).not.toMatch(lost);
    expect(on.journal()).not.toMatch(/drbdadm down|wipe-md|primary/);
    expect(existsSync(on.at('drbd.d/data.res'))).toBe(true);
  });

  test('somebody has chosen this side meanwhile', { timeout: 120_000 }, async () => {
    const on = await stage({ drbdadm: states('Connected', 'UpToDate/Inconsistent') });
    const answer = await on.call('-y');
    expect(answer, answer.said).toMatchObject({
      code: 4,
      said: expect.stringMatching(/not both sides are just created \(UpToDate\/Inconsistent/),
    });
    expect(answer.said).not.toMatch(lost);
    expect(on.journal()).not.toMatch(/drbdadm down|wipe-md|primary/);
  });
});

describe('the other side is left to its own node', () => {
  const strange = states('Connected', 'Inconsistent/Diskless');
  test.each<readonly [what: string, code: number, played: Played, says: RegExp | null]>([
    ['made by this command', 4, { drbdadm: strange }, /→ /],
    ['made by a person', 2, { drbdadm: strange, ssh: unreachable }, null],
    ['refused', 2, { ssh: asked('echo "tsha: no space" >&2; exit 2') }, null],
    ['half-way', 4, { ssh: asked('echo "tsha: not all of it" >&2; exit 4') }, /not all of it[\s\S]*→ /],
    ['ssh broke off', 4, { ssh: asked('echo "Connection closed" >&2; exit 255') }, /closed[\s\S]*may have/],
  ])('%s', { timeout: 120_000 }, async (_what, code, played, says) => {
    const on = await stage(played);
    const answer = await on.call('-y');
    expect(answer.code, answer.said).toBe(code);
    if (says) expect(answer.said).toMatch(says);
    if (says) expect(answer.said).toContain(backThere);
    else expect(answer.said).not.toMatch(lost);
    expect(on.journal()).toMatch(taken);
    expect(existsSync(on.at('drbd.d/data.res'))).toBe(false);
  });

  test('Ctrl-C while it is being made', { timeout: 120_000 }, async () => {
    const on = await stage({ ssh: asked('sleep 30') });
    const answer = await on.interruptedIn('-y --json');
    expect(answer.code, answer.said).toBe(4);
    expect(answer.said).toContain(backThere);
    expect(on.journal()).toMatch(taken);
  });

  test.each([
    ['made by this command', asked("echo '{}'"), true],
    ['to be made by a person', unreachable, false],
  ])('Ctrl-C while it is waited for, %s', { timeout: 120_000 }, async (_what, ssh, isOurs) => {
    const on = await stage({ ssh, drbdadm: states('WFConnection', 'Inconsistent/DUnknown') });
    const answer = await on.interruptedAt('waiting for');
    expect(answer.code, answer.said).toBe(isOurs ? 4 : 130);
    expect(answer.said.includes(backThere)).toBe(isOurs);
    if (!isOurs) expect(answer.said).not.toMatch(lost);
    expect(on.journal()).toMatch(taken);
  });
});

test('what could not be taken back here is half-way, and says how', { timeout: 120_000 }, async () => {
  const on = await stage({
    ssh: asked('echo "tsha: no space" >&2; exit 2'),
    drbdadm: 'case "$*" in down*) echo "held open" >&2; exit 11 ;; esac',
  });
  const answer = await on.call('-y');
  expect(answer, answer.said).toMatchObject({
    code: 4,
    said: expect.stringMatching(
      /no space; .*held open[\s\S]*→ drbdadm down data && .* && rm \/etc\/drbd\.d\/data\.res/,
    ),
  });
  expect(existsSync(on.at('drbd.d/data.res'))).toBe(true);
});

describe('once this node’s content counts: half-way, with what is left', () => {
  const both = states('Connected', 'Inconsistent/Inconsistent');
  const refused = (command: string) =>
    states('Connected', 'Inconsistent/Inconsistent', `${command}*) echo "no, not now" >&2; exit 11 ;;`);
  const left = (answer: { readonly said: string }) =>
    [...answer.said.matchAll(/^ {2}→ (.*)$/gm)].map(([, line = '']) =>
      line.replace(/\/dev\/drbd\d+/g, 'DEV').replace(/^mount -t .*/, 'mount'),
    );
  const fill = ['mkfs.xfs -q DEV', 'mkfs.ext4 -q DEV'];
  const folders = ['mount', 'mkdir -p /srv/nfs/home', 'umount DEV'];
  const lastly = ['drbdadm secondary data', 'tsha apply'];
  const again = 'drbdadm primary data';
  const failing = (real: string, pattern: string, act = 'echo "no, not now" >&2; exit 1') =>
    `case "$*" in ${pattern}) ${act} ;; esac\nexec ${real} "$@"`;

  test.each<readonly [what: string, played: Played, left: readonly string[], isReleased: boolean]>([
    [
      'no promotion',
      { drbdadm: refused('primary') },
      ['drbdadm primary --force data', ...fill, ...folders, ...lastly],
      true,
    ],
    [
      'no filesystem',
      { drbdadm: both, 'mkfs.xfs': failing('/usr/sbin/mkfs.xfs', '*-q*') },
      [again, ...fill, ...folders, ...lastly],
      true,
    ],
    [
      'no second filesystem',
      { drbdadm: both, 'mkfs.ext4': failing('/usr/sbin/mkfs.ext4', '*-q*') },
      [again, ...fill.slice(1), ...folders, ...lastly],
      true,
    ],
    ['no mount', { drbdadm: both, mount: failing('/bin/mount', '*') }, [again, ...folders, ...lastly], true],
    [
      'no directories',
      { drbdadm: both, mkdir: failing('/bin/mkdir', '*nfs/home*') },
      [again, ...folders, ...lastly],
      true,
    ],
    ['no demotion', { drbdadm: refused('secondary') }, lastly, false],
  ])('%s', { timeout: 120_000 }, async (_what, played, commands, isReleased) => {
    const on = await stage({ umount: 'exec /bin/umount "$@"', ...played });
    const answer = await on.call('-y');
    expect(answer, answer.said).toMatchObject({ code: 4, said: expect.stringMatching(/no, not now/) });
    expect(left(answer)).toEqual(commands);
    expect(on.journal()).not.toMatch(/drbdadm down|wipe-md/);
    expect(on.journal()).toMatch(/drbdadm secondary data\n(dr.*\n)*$/);
    expect(existsSync(on.at('drbd.d/data.res'))).toBe(true);
    if (isReleased && on.journal().includes('mount -t')) expect(on.journal()).toMatch(/umount \/dev/);
  });

  test('--skip-sync: alike for one volume only', { timeout: 120_000 }, async () => {
    const on = await stage({ drbdadm: refused('*new-current-uuid?data/1') });
    const answer = await on.call('-y', '--skip-sync');
    expect(answer, answer.said).toMatchObject({ code: 4, said: expect.stringMatching(/no, not now/) });
    const alike = 'drbdadm -- --clear-bitmap new-current-uuid data/1';
    expect(left(answer)).toEqual([alike, again, ...fill, ...folders, ...lastly]);
    expect(on.journal()).not.toMatch(/drbdadm (down|primary|secondary)|wipe-md/);
  });

  test('what a device holds by now is left to a person, and so is what would lose it', {
    timeout: 120_000,
  }, async () => {
    const written = 'primary*) echo data | dd of=DISK conv=notrunc status=none ;;';
    const on = await stage({ drbdadm: states('Connected', 'Inconsistent/Inconsistent', written) });
    const answer = await on.call('-y');
    expect(answer, answer.said).toMatchObject({
      code: 4,
      said: expect.stringMatching(/no filesystem is made over it/),
    });
    expect(left(answer)).toEqual([again, ...fill.slice(1), ...folders, ...lastly]);
  });

  test('a demotion that is refused for a moment is no failure', { timeout: 120_000 }, async () => {
    const drbdadm = `case "$*" in secondary*) [ "$(grep -c secondary JOURNAL)" -gt 1 ] ;; cstate*) echo Connected ;; dstate*) if grep -q primary JOURNAL; then echo UpToDate/UpToDate; else echo Inconsistent/Inconsistent; fi ;; esac`;
    const on = await stage({ drbdadm });
    const answer = await on.call('-y');
    expect(answer.code, answer.said).toBe(0);
  });

  test.each<readonly [what: string, line: string, played: Played, left: readonly string[]]>([
    [
      'a filesystem is made',
      'mkfs.ext4 -q',
      { 'mkfs.ext4': failing('/usr/sbin/mkfs.ext4', '*-q*', 'sleep 30') },
      [again, ...fill.slice(1), ...folders, ...lastly],
    ],
    [
      'directories are made',
      'mkdir -p /srv/nfs/home',
      { mkdir: failing('/bin/mkdir', '*nfs/home*', 'sleep 30') },
      [again, ...folders, ...lastly],
    ],
  ])(
    'Ctrl-C while %s: unmounted and demoted',
    { timeout: 120_000 },
    async (_what, line, played, commands) => {
      const on = await stage({ drbdadm: both, umount: 'exec /bin/umount "$@"', ...played });
      const answer = await on.interruptedIn(line);
      expect(answer.code, answer.said).toBe(4);
      expect(left(answer)).toEqual(commands);
      expect(on.journal()).toMatch(/drbdadm secondary data\n$/);
      if (line.startsWith('mkdir'))
        expect(on.journal()).toMatch(/umount \/dev\/\S+\ndrbdadm secondary data\n$/);
      expect(on.journal()).not.toMatch(/drbdadm down|wipe-md/);
    },
  );
});
