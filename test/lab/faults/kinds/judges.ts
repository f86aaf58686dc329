import { exportedFolder } from '../../cluster/configuration.ts';
import { serviceAddress } from '../../settings.ts';
import { type Kind, mustShell } from '../kind.ts';

const standIn = '/run/tsha-planted/pid';
const property = 'cluster-recheck-interval';

/** What no judge may overlook is brought about past the cluster. */
export const judgeKinds: readonly Kind[] = [
  {
    ...{ name: 'the judges themselves', on: ['active'], ours: true },
    proves: [
      /^address on both nodes$/,
      /^NFSv\S+: read torn: /,
      /^NFSv3: \d+ locks lost without a word$/,
      /^NFSv4\.0: lost its lock, and was told$/,
      /^NFSv4\.2: lost its lock, and was told$/,
      /: an agent that did not end: /,
      /: draft: /,
      /^the configuration is not as it was: /,
    ],
    inject: async (scene) => {
      const { run, standby, signal } = scene;
      const twice = `ip address add ${serviceAddress}/32 dev lo; sleep 5; ip address del ${serviceAddress}/32 dev lo`;
      await run.lab.machine(standby).run(twice, { signal });
      // of a file that a client has a delegation of, nothing can be taken
      await mustShell(
        scene,
        `for i in 1 2 3 4 5 6 7 8; do truncate -s 5000 ${exportedFolder}/replace-*[0-9]; sleep 0.4; done; true`,
      );
      await mustShell(scene, `echo ${serviceAddress} > /proc/fs/nfsd/unlock_ip`);
      await mustShell(
        scene,
        'for client in /proc/fs/nfsd/clients/*; do echo expire > $client/ctl; done; true',
      );
      await mustShell(scene, `crm_attribute --name ${property} --update 700`);
      const plant = `mkdir -p /run/tsha-planted && touch /run/tsha-planted/a.tsha-1; echo $$ > ${standIn}
exec -a /usr/lib/ocf/lib/tsha/tsha-agents sleep 900 > /dev/null 2>&1 < /dev/null`;
      await mustShell(scene, `setsid bash -c '${plant}' > /dev/null 2>&1 < /dev/null &`);
      await scene.sleep(15);
    },
    afterwards: async ({ shell }) => {
      await shell(
        `kill $(cat ${standIn}); rm -r /run/tsha-planted; crm_attribute --name ${property} --delete`,
      );
    },
  },
];
