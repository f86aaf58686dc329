import { ipaddr2 } from '../../../../agents/IPaddr2/agent.ts';
import { contains } from '../../../../lib/host/net/networks.ts';
import { runAction } from '../../../../lib/ocf/run.ts';
import { FakeMachine, hangs } from '../../../fake/machine.ts';
import { wordsTo } from '../../../fake/story.ts';

type Held = { readonly nic: string; readonly ip: string; readonly prefix: number; readonly extra?: object };

/** A machine with lo and eth0 (192.168.144.1/24), whose `ip` keeps addresses and can be told to fail. */
export class Router extends FakeMachine {
  held: Held[] = [
    { nic: 'eth0', ip: '192.168.144.1', prefix: 24, extra: { broadcast: '192.168.144.255' } },
    { nic: 'eth0', ip: '2001:db8::1', prefix: 64 },
  ];
  linkType = 'ether';
  /** What else `ip` says of every interface. */
  state: object = {};
  /** Commands that fail, by what they contain. */
  failing: string | undefined;
  hanging: string | undefined;
  /** What `ip` says of the addresses, instead of them. */
  told: string | undefined;
  /** What the kernel thinks of a new IPv6 address. */
  fresh: object = {};

  constructor(params: Readonly<Record<string, string>>) {
    super({
      OCF_RESOURCE_INSTANCE: 'vip',
      ...Object.fromEntries(Object.entries(params).map(([name, value]) => [`OCF_RESKEY_${name}`, value])),
    });
    this.on('ip', (args, command) => {
      const line = args.join(' ');
      if (this.failing && line.includes(this.failing)) return { code: 2, stderr: 'RTNETLINK answers: No\n' };
      if (this.hanging && line.includes(this.hanging)) return hangs(command, this);
      if (line.includes('address show')) return this.told ?? this.show();
      if (line.includes('route show')) return line.includes('inet6') ? route6 : route4;
      if (line.startsWith('maddress')) return this.listen(args);
      const [, , , verb, cidr = '', ...more] = args; // -f FAMILY address VERB IP/PREFIX … dev NIC …
      const nic = more[more.indexOf('dev') + 1] ?? '';
      const [ip = '', prefix] = cidr.split('/');
      const [gone] = this.held.filter((one) => one.ip === ip && one.prefix === Number(prefix));
      const others = this.held.filter((one) => one !== gone);
      if (line.includes('address add')) {
        if (gone) return { code: 2, stderr: 'Error: ipv4: Address already assigned.\n' };
        const broadcast = more.includes('broadcast') ? more[more.indexOf('broadcast') + 1] : undefined;
        const extra = ip.includes(':') ? this.fresh : { broadcast };
        this.held.push({ nic, ip, prefix: Number(prefix), extra });
      }
      if (line.includes('address') && verb === 'delete') {
        if (!gone) return { code: 2, stderr: 'Error: ipv4: Address not found.\n' };
        this.held = others.filter((one) => this.promotes || this.firstOf(one) !== gone);
      }
      return '';
    });
  }

  private get promotes(): boolean {
    return this.files.get('/proc/sys/net/ipv4/conf/eth0/promote_secondaries') === '1\n';
  }

  /** The first IPv4 address of its network on its interface; the kernel takes the others along when it goes. */
  private firstOf = (one: Held): Held | undefined =>
    this.held.find(
      ({ nic, ip, prefix }) =>
        !ip.includes(':') && nic === one.nic && prefix === one.prefix && contains(ip, prefix, one.ip),
    );

  /** Multicast MAC addresses that eth0 listens to, however often that was asked for. */
  readonly listens = new Set<string>();

  private listen([, verb, mac = '']: readonly string[]): string {
    if (verb === 'add') this.listens.add(mac);
    else this.listens.delete(mac);
    return '';
  }

  private show(): string {
    const nic = (name: string, ifindex: number, link_type: string) => ({
      ifname: name,
      ifindex,
      link_type,
      operstate: 'UP',
      ...this.state,
      flags: ['UP'],
      addr_info: this.held
        .filter((one) => one.nic === name)
        .map((one) => ({
          family: one.ip.includes(':') ? 'inet6' : 'inet',
          local: one.ip,
          prefixlen: one.prefix,
          label: name,
          ...(!one.ip.includes(':') && this.firstOf(one) !== one && { secondary: true }),
          ...one.extra,
        })),
    });
    return JSON.stringify([nic('lo', 1, 'loopback'), nic('eth0', 2, this.linkType)]);
  }

  async act(action: string) {
    const said: string[] = [];
    const result = await runAction(ipaddr2, action, this, wordsTo(said));
    return { ...result, said };
  }

  ips = () => this.held.map(({ ip }) => ip).slice(2);
}

const route4 =
  '[{"dst":"192.168.144.0/24","dev":"eth0","protocol":"kernel","scope":"link","prefsrc":"192.168.144.1","flags":[]}]';
const route6 = '[{"dst":"2001:db8::/64","dev":"eth0","protocol":"kernel","metric":256,"flags":[]}]';
