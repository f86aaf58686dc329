import type { params } from '../../agents/IPaddr2/params.ts';
import type { Prose } from '../../lib/ocf/agent.ts';
import { traceProse } from './trace.ts';

export default {
  short: '随资源迁移的服务 IP 地址',
  long: `
管理随服务迁移的 IPv4 或 IPv6 地址。启动时把地址加到接口上，等待内核完成 IPv6 重复地址检测，并通知邻居；停止时只删除这一个地址，
无论当初用来添加它的路由是否还在。正常的监控只读取内核自己的列表，不启动任何进程。

只设置 ip 和 cidr_netmask 时，接口取直连网络包含该地址的那个：前缀最长者优先，其次度量值最小者。默认路由和经过网关的路由从不考虑。

删除本地址时，同一接口上同一网段的其他地址会保留：如果内核会把它们一并删除，代理会为该接口打开 promote_secondaries。`,
  params: {
    ip: {
      short: '服务地址，IPv4 或 IPv6',
      long: '服务地址，例如 10.77.0.20 或 2001:db8::20。它不能由其他任何途径配置：既不能写在发行版的网络配置里，也不能出现在别的节点上。',
    },
    nic: {
      short: '承载地址的接口；不设置则由路由决定',
      long: '承载地址的接口，也可以写它的别名（altname）。不设置时由路由表决定接口，监控和停止会在除 lo 以外的所有接口上查找该地址。单独存在的地址（/32，IPv6 为 /128），例如 LVS 真实服务器和 kube-proxy 的地址，只有在 nic 上或 cidr_netmask 如此指定时才算数。旧写法“eth0:标签”同时设置 iflabel。',
    },
    cidr_netmask: {
      short: '前缀长度；不设置则由路由决定',
      long: '前缀长度，例如 24。不设置时取地址所在网络的前缀长度。点分形式的 IPv4 掩码也可以识别。地址存在但前缀不同时视为未运行，探测（probe）时视为故障：启动会替换它，停止会删除它。',
    },
    broadcast: {
      short: 'IPv4 广播地址，或 + 或 -',
      long: 'IPv4 广播地址；+ 表示主机位全为 1，- 表示全为 0。不设置时取该接口在同一网络中其他地址的广播地址。',
    },
    proto: {
      short: '只让此路由协议的路由决定接口和前缀',
      long: '只有由此路由协议（例如 kernel）产生的路由才能决定接口和前缀。',
    },
    iflabel: {
      short: 'IPv4 地址的标签，不含接口名',
      long: 'IPv4 地址的标签，显示为“接口名:iflabel”，总长不超过 15 个字符。地址缺少此标签时视为故障。IPv6 地址没有标签。',
    },
    lvs_support: {
      short: '把地址从 lo 移到接口上（LVS 直接路由）',
      long: '用于兼作后端的 LVS 直接路由调度器：启动时把地址从 lo 取下，停止时放回。仅限 IPv4。',
    },
    lvs_ipv6_addrlabel: {
      short: '避免该 IPv6 地址被选为出站连接的源地址',
      long: '在地址选择表（ip addrlabel）中给该 IPv6 地址单独的标签，使内核不会选它作为出站连接的源地址。',
    },
    lvs_ipv6_addrlabel_value: { short: 'IPv6 地址标签的编号', long: '上述标签的编号。' },
    mac: {
      short: 'Cluster-IP 的组播 MAC 地址',
      long: 'Cluster-IP 的所有节点共同监听的组播 MAC 地址：六个八位组，第一个必须为奇数。未设置时由地址、前缀和广播地址算出，各节点结果相同。globally-unique=true 且 clone-max 大于 1 的克隆即为 Cluster-IP：每个节点都拥有该地址，每个实例服务散列到自己的客户端。',
    },
    clusterip_firewall: {
      short: 'Cluster-IP 使用的防火墙',
      long: '用于分配 Cluster-IP 客户端的防火墙：auto 和 nft 都使用 nft，必须已安装；iptables 会被拒绝。',
    },
    clusterip_hash_seed: {
      short: 'Cluster-IP 的散列种子',
      long: '分配 Cluster-IP 客户端的散列种子，十进制或 0x 开头的十六进制，所有节点必须相同。未设置时由地址、前缀和广播地址算出。',
    },
    clusterip_table: {
      short: 'Cluster-IP 的 iptables 表',
      long: 'Cluster-IP 的 iptables 表；没有作用：使用 nft 时每个地址有自己的表，名为 IPaddr2_ 加地址。',
    },
    clusterip_chain: {
      short: 'Cluster-IP 的 iptables 链',
      long: 'Cluster-IP 的 iptables 链；与 clusterip_table 一样没有作用。',
    },
    clusterip_mac_mangle: {
      short: '改写 Cluster-IP 的 ARP 应答中的 MAC 地址',
      long: '用组播 MAC 地址应答对 Cluster-IP 的 ARP 请求，使每个节点都能收到客户端的数据包。若网络已用其他方式做到这一点，请保持关闭。仅用于 IPv4。',
    },
    clusterip_hash: {
      short: '旧内核 Cluster-IP 的散列方式；无作用',
      long: '为兼容旧配置而接受，没有作用：Linux 已在 2023 年移除相应的内核模块。',
    },
    unique_clone_address: {
      short: '把克隆编号加到地址的最后一个八位组上',
      long: '用于全局唯一的克隆：第 n 个实例的地址，其最后一个八位组加 n。仅限 IPv4。',
    },
    arp_interval: {
      short: '两次通告之间的毫秒数',
      long: '两次通告之间的毫秒数。arping 固定为一秒，不理会此参数。',
    },
    arp_count: { short: '启动后的通告次数', long: '启动之后通告地址的次数。' },
    arp_count_refresh: {
      short: '每次监控时的通告次数',
      long: '每次监控时再次通告 IPv4 地址的次数，用于记忆时间短的网络设备。0 表示不通告。',
    },
    arp_bg: {
      short: '在后台通告',
      long: '在后台通告，启动无需等待；不设置时即如此。停止时会结束仍在通告的进程。',
    },
    arp_sender: {
      short: '通告 IPv4 地址的程序',
      long: '通告 IPv4 地址的程序。不设置时：InfiniBand 上优先用已安装的 ipoibarping，其次是 resource-agents 的 send_arp，再次是 arping；都没有时让内核以新地址为源向网络询问，邻居同样会由此得知。明确指定的程序必须已安装，否则启动失败。',
    },
    send_arp_opts: {
      short: '通告程序的附加选项',
      long: 'send_arp 或 arping 的附加选项，以空格分隔。使用 arping 时只发送带这些选项的主动请求。',
    },
    flush_routes: { short: '停止时清空路由缓存', long: '删除地址后清空内核的路由缓存。' },
    run_arping: {
      short: '添加 IPv4 地址前先用 ARP 询问是否已被占用',
      long: '添加 IPv4 地址之前用 ARP 向网络询问是否已有主机占用（需要 iputils 的 arping）；如有，则启动失败。',
    },
    nodad: {
      short: '跳过 IPv6 重复地址检测',
      long: '不做 IPv6 重复地址检测。启动快约一秒，但发现不了重复的地址。',
    },
    noprefixroute: { short: '不添加前缀路由', long: '让内核不为该地址所在的网络添加路由。' },
    preferred_lft: {
      short: 'IPv6 地址的首选生存期',
      long: 'IPv6 地址的首选生存期（秒），或“forever”。0 表示一开始就弃用：可以访问，但不会被选为源地址。',
    },
    network_namespace: {
      short: '地址所在的网络命名空间',
      long: '管理该地址的网络命名空间（ip netns）的名字。不存在的命名空间里没有地址：停止成功，启动失败。',
    },
    check_link_status: {
      short: '接口没有链路时把地址视为未运行',
      long: '接口关闭或没有链路时把地址视为未运行，让集群把它迁走。探测（probe）时视为故障，让集群先在本节点删除它，再到别处启动。',
    },
    ...traceProse,
  },
} satisfies Prose<typeof params>;
