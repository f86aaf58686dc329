import { z } from 'zod';
import { type Code, catalogue } from '../../lib/findings/catalogue.ts';
import { addressFamily, canonicalIp } from '../../lib/host/net/address-text.ts';
import type { Says } from './words.ts';

// What may stand in /etc/tsha/tsha.yaml, setting by setting; what two settings say together is in rules.ts. Every `error` is the name of
// a sentence in words.ts.

/** The name of a sentence, which TypeScript checks. */
const says = (sentence: Says): { readonly error: Says } => ({ error: sentence });
const text = (pattern: RegExp, sentence: Says) => z.string().regex(pattern, says(sentence));

const absolutePath = text(/^(\/[^/\s\p{Cc}"'\\:]+)+$/u, 'notAPath').refine(
  (path) => path.split('/').every((part) => part !== '.' && part !== '..'),
  says('notAPath'),
);
/** /dev/disk/by-path has colons. */
const diskPath = text(/^(\/[^/\s\p{Cc}"'\\]+)+$/u, 'notAPath').refine(
  (path) => path.split('/').every((part) => part !== '.' && part !== '..'),
  says('notAPath'),
);
const duration = text(/^\d{1,4}(s|min|m)$/, 'notADuration');
const port = z.int().min(1).max(65_535);
const address = z.string().refine((ip) => canonicalIp(ip) !== undefined, says('notAnAddress'));
/** Of a family, with its prefix length. */
const withPrefix = (family: 4 | 6) =>
  z.string().superRefine((written, context) => {
    const [ip = '', prefix, ...more] = written.split('/');
    const found = addressFamily(ip);
    const longest = found === 4 ? 32 : 128;
    const isLength = /^[1-9]\d{0,2}$/.test(prefix ?? '') && Number(prefix) <= longest;
    const sentence: Says | undefined =
      canonicalIp(ip) === undefined || more.length > 0
        ? 'notAnAddress'
        : found !== family
          ? family === 4
            ? 'wantsIPv4'
            : 'wantsIPv6'
          : prefix === undefined
            ? 'noPrefix'
            : isLength
              ? undefined
              : 'notAPrefix';
    if (sentence) context.addIssue({ code: 'custom', message: sentence });
  });
const word = text(/^[^\s\p{Cc}]+$/u, 'holdsBlank');
/** A name of XML, as ids of the cluster are. */
const id = text(/^[A-Za-z_][\w.-]{0,59}$/, 'notAnId');

const node = z.strictObject({
  replication: address.describe('Address that DRBD replicates over, without prefix'),
  disk: diskPath.optional().describe('Disk below DRBD on this node, where it differs from drbd.disk'),
  stateDisk: diskPath.optional().describe('As disk, where it differs from state.disk'),
});

const exported = z.strictObject({
  directory: absolutePath.describe('What is exported, within filesystem.directory'),
  clients: z.array(word).min(1).describe('Who may mount: hosts, networks, wildcards, "*"'),
  options: word.default('rw,sync').describe('As in exports(5), comma separated'),
  fsid: z
    .union([z.int().min(0), text(/^(root|[\dA-Fa-f]{8}(-[\dA-Fa-f]{4}){3}-[\dA-Fa-f]{12})$/, 'notAnFsid')], {
      error: 'notAnFsid' satisfies Says,
    })
    .describe('Number that clients know this export by on both nodes; 0 or root is the root of NFSv4'),
  ids: z.array(id).optional().describe('Ids in the cluster, one per client, where they are not made up'),
});

const drbdDevice = text(/^\/dev\/drbd\d{1,5}$/, 'notADrbdDevice');
const filesystemTypes = ['xfs', 'ext4', 'ext3', 'btrfs'] as const;
const mountOptions = word.optional().describe('Of mount, comma separated');

const device = z.strictObject({
  agent: text(/^fence_\w+$/, 'notAFenceAgent').describe('For example fence_ipmilan'),
  options: z.record(word, z.union([z.string(), z.number(), z.boolean()])).default({}),
});

export const configurationShape = z.strictObject({
  version: z.literal(1).describe('Of the format of this file'),
  name: text(/^[a-z][a-z0-9-]{0,19}$/, 'notAName')
    .default('nfs')
    .describe('Of the service; ids in the cluster begin with it'),
  provider: z.enum(['tsha', 'stock']).default('tsha').describe('Whose agents'),
  nodes: z.record(text(/^[A-Za-z0-9]([A-Za-z0-9.-]{0,62}[A-Za-z0-9])?$/, 'notANodeName'), node),
  drbd: z.strictObject({
    resource: text(/^[A-Za-z0-9_][\w.-]{0,63}$/, 'notAResourceName'),
    device: drbdDevice.describe('/dev/drbd1'),
    disk: diskPath.optional().describe('Disk below it on both nodes'),
    port: port.default(7789),
  }),
  filesystem: z.strictObject({
    type: z.enum(filesystemTypes).default('xfs'),
    directory: absolutePath.describe('Where it is mounted'),
    options: mountOptions,
  }),
  state: z
    .strictObject({
      device: drbdDevice.describe('/dev/drbd2, the second volume of the DRBD resource'),
      disk: diskPath.optional().describe('Disk below it on both nodes; 100 MiB are enough'),
      // mkfs.xfs wants 300 MiB
      type: z.enum(filesystemTypes).default('ext4'),
      directory: absolutePath.describe('Where it is mounted'),
      options: mountOptions,
    })
    .optional()
    .describe('A filesystem of its own for the state of the server, which no client reaches'),
  address: z.strictObject({
    ip: withPrefix(4).optional().describe('IPv4 address that clients mount from, with prefix length'),
    ip6: withPrefix(6).optional().describe('IPv6 address that clients mount from, with prefix length'),
    interface: text(/^[^\s/]{1,15}$/, 'notAnInterface')
      .optional()
      .describe('That carries them; found by the routes when not given'),
  }),
  nfs: z
    .strictObject({
      versions: z
        .array(z.union([z.literal(3), z.literal(4)], { error: 'notAVersion' satisfies Says }))
        .min(1)
        .default([4]),
      lease: duration.optional().describe('How long a silent NFSv4 client keeps its locks: 10s to 240s'),
      grace: duration.optional().describe('How long clients may claim locks after a start: 10s to 240s'),
      lockdGrace: duration
        .optional()
        .describe(
          'The same for NFSv3 alone, whose clients know no lease: 10s to 240s; as grace when not given',
        ),
      threads: z.int().min(1).max(4096).optional().describe('Of nfsd'),
      state: absolutePath
        .optional()
        .describe('Directory of the state of the server, within state or filesystem'),
      ports: z
        .strictObject({
          mountd: port.optional(),
          statd: port.optional(),
          lockd: port.optional().describe('TCP and UDP'),
          statdOutgoing: port.optional(),
          rquotad: port.optional(),
        })
        .default({})
        .describe('Fixed ports for NFSv3 behind a firewall'),
    })
    .prefault({}),
  exports: z.array(exported).min(1),
  fencing: z.record(z.string(), device).optional().describe('What switches each node off; no secrets'),
  meta: z
    .record(text(/^[a-z][a-z-]*$/, 'notAnOption'), z.union([z.string(), z.number(), z.boolean()]))
    .default({ 'resource-stickiness': 100, 'migration-threshold': 3 })
    .describe('Meta attributes of the group'),
  ids: z
    .strictObject({
      group: id.optional(),
      drbd: id.optional(),
      clone: id.optional(),
      filesystem: id.optional(),
      state: id.optional(),
      server: id.optional(),
      address: id.optional(),
      address6: id.optional(),
      notify: id.optional(),
    })
    .default({})
    .describe('Ids in the cluster, where they do not begin with the name'),
  accept: z
    .array(
      z.strictObject({
        code: z.enum(Object.keys(catalogue) as [Code, ...Code[]]).describe('As tsha check prints it'),
        why: text(/\S/, 'empty'),
        until: text(/^\d{4}-\d\d-\d\d$/, 'notADate').refine(isDate, says('notADate')),
      }),
    )
    .default([])
    .describe('Findings that are meant to be so'),
});

/** A file that only accepts findings: of a cluster that other commands made. */
export const acceptedShape = configurationShape
  .pick({ version: true, accept: true })
  .partial({ version: true });

/** Whether the calendar has that day: 2027-02-30 is none. */
function isDate(text: string): boolean {
  const at = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(at.getTime()) && at.toISOString().startsWith(text);
}

/** The file's content, defaults filled in. */
export type Configuration = z.output<typeof configurationShape>;

/** For editors; shipped as docs/tsha.yaml.schema.json. */
export const configurationSchema = () => z.toJSONSchema(configurationShape, { io: 'input' });
