import { expect, test } from 'vitest';
import { adapted, parseOcft } from '../../lab/scenarios/nfs/ocft.ts';

const suite = `# nfsserver

CONFIG
	Agent nfsserver
	AgentRoot /usr/lib/ocf/resource.d/heartbeat
	InstallPackage nfs-kernel-server
	HangTimeout 20

CASE "check base env: invalid 'OCF_RESKEY_nfs_init_script'"
	Env OCF_RESKEY_nfs_init_script=no_such_script
	AgentRun start OCF_ERR_INSTALLED

CASE "check base env: invalid 'OCF_RESKEY_nfs_notify_cmd'"
	AgentRun start OCF_ERR_INSTALLED
`;

test('cases are pointed at our agents, and the stale one is brought up to date', () => {
  expect(adapted('nfsserver', suite)).toBe(
    suite
      .replace('\tAgentRoot /usr/lib/ocf/resource.d/heartbeat\n\tInstallPackage nfs-kernel-server\n', '')
      .replace('\tAgent nfsserver\n', '\tAgent nfsserver\n\tAgentRoot /usr/lib/ocf/resource.d/tsha\n')
      .replace('OCF_ERR_INSTALLED', 'OCF_SUCCESS'),
  );
});

const begun = (number: number, name: string) =>
  `\nStarting '\x1b[33mnfsserver\x1b[0m' case ${number} '\x1b[33m${name}\x1b[0m':\nRunning agent:                ./nfsserver start\n`;
const well =
  "Checking return value:        \x1b[32mOK\x1b[0m. The return value 'OCF_SUCCESS' == 'OCF_SUCCESS'\n";
const badly =
  "Checking return value:        \x1b[31mFAILED\x1b[0m. The return value 'OCF_SUCCESS' != 'OCF_ERR_INSTALLED'. See details below:\n";

test('what ocft prints', () => {
  const output = `Initializing 'nfsserver' ...\nDone.\n${begun(0, 'normal start')}${well}${begun(1, 'stop')}${badly}`;
  expect(parseOcft(output)).toEqual({
    passed: 1,
    failed: ["stop: The return value 'OCF_SUCCESS' != 'OCF_ERR_INSTALLED'."],
  });
});

test('a case that was never checked has not passed', () => {
  expect(parseOcft(begun(0, 'normal start'))).toMatchObject({ passed: 0, failed: [expect.anything()] });
});
