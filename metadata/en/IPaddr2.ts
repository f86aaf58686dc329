import type { params } from '../../agents/IPaddr2/params.ts';
import type { EnglishProse } from '../../lib/ocf/agent.ts';
import { traceProse } from './trace.ts';

export default {
  long: `
Manages an IPv4 or IPv6 address that moves with a service. Start adds it to an interface, waits until the kernel has cleared an IPv6
address of duplicates, and tells the neighbours. Stop removes exactly this address, whatever became of the routes it was added by.
A healthy monitor reads the kernel's own lists and starts no process.

With nothing but ip and cidr_netmask the interface is the one whose attached network holds the address: the longest prefix wins, then
the lowest metric. Default routes and routes through a gateway are never considered.

Other addresses of the same network on the same interface stay when this one goes: if the kernel would take them along,
promote_secondaries is switched on for the interface.`,
  params: {
    ip: `
The service address, for example 10.77.0.20 or 2001:db8::20. It must not be configured by anything else: not by the distribution's
network configuration and not on another node.`,
    nic: `
The interface that carries the address; an alternative name of it will do. When unset, the interface is found in the routing table, and
monitor and stop look for the address on every interface but lo. One that stands alone there (/32, or /128 of IPv6), as LVS real servers and
kube-proxy have it, counts only on nic, or where cidr_netmask says so. The old form "eth0:label" sets iflabel as well.`,
    cidr_netmask: `
The prefix length, for example 24. When unset, it is that of the network the address lies in. A dotted IPv4 mask is understood. An address
that is there with another prefix counts as not running, to a probe as failed; start replaces it and stop removes it.`,
    broadcast: `
The IPv4 broadcast address; + sets all host bits, - clears them. When unset, it is that of the interface's other address in the network.`,
    proto: `
Only routes made by this routing protocol, for example "kernel", decide interface and prefix.`,
    iflabel: `
A label for the IPv4 address: it appears as "<interface>:<iflabel>", in at most 15 characters. Without its label the address counts as
failed. IPv6 addresses have none.`,
    lvs_support: `
For a director of LVS direct routing that is also a back end: start takes the address from lo, stop puts it back. IPv4 only.`,
    lvs_ipv6_addrlabel: `
Give the IPv6 address a label of its own in the address selection table (ip addrlabel), so that the kernel does not choose it as source of
outgoing connections.`,
    lvs_ipv6_addrlabel_value: `
The number of that label.`,
    mac: `
Multicast MAC address that all nodes of a Cluster-IP listen to: six octets, the first of them odd. When unset, it is computed from
address, prefix and broadcast, on every node alike. A clone with globally-unique=true and clone-max above 1 makes a Cluster-IP:
every node has the address, and each instance serves the clients that hash to it.`,
    clusterip_firewall: `
What sorts the clients of a Cluster-IP: auto and nft both use nft, which must be installed. iptables is refused.`,
    clusterip_hash_seed: `
Seed of the hash that sorts the clients of a Cluster-IP, decimal or 0x..., the same on all nodes. When unset, it is computed from
address, prefix and broadcast.`,
    clusterip_table: `
The iptables table of a Cluster-IP. Without effect: with nft the address has a table of its own, IPaddr2_ and the address.`,
    clusterip_chain: `
The iptables chain of a Cluster-IP. Without effect, as clusterip_table.`,
    clusterip_mac_mangle: `
Answer ARP requests for a Cluster-IP with the multicast MAC address, so that every node receives the clients' packets. Leave it off
where the network sees to that by other means. IPv4 only.`,
    clusterip_hash: `
Accepted from old configurations and without effect: Linux removed the kernel module in 2023.`,
    unique_clone_address: `
For a globally unique clone: instance n serves the address whose last octet is n higher. IPv4 only.`,
    arp_interval: `
Milliseconds between two announcements. arping has a fixed second and ignores it.`,
    arp_count: `
How many times the address is announced after start.`,
    arp_count_refresh: `
How many times an IPv4 address is announced again at every monitor, for network equipment with a short memory. 0 for never.`,
    arp_bg: `
Announce in the background, so that start does not wait for it; this is what happens when unset. Stop ends what still announces.`,
    arp_sender: `
The program that announces an IPv4 address. When unset: ipoibarping on InfiniBand if installed, else send_arp of resource-agents, else
arping; with none of them the kernel is made to ask the network from the new address, which teaches neighbours too. A configured program
must be installed, or start fails.`,
    send_arp_opts: `
Extra options for send_arp or arping, separated by blanks. With arping only its unsolicited requests are sent then, with these options.`,
    flush_routes: `
Flush the kernel's route cache after the address was removed.`,
    run_arping: `
Ask the network by ARP for another owner of an IPv4 address before adding it (iputils' arping); start fails if there is one.`,
    nodad: `
Do without duplicate address detection of an IPv6 address. Start is a second quicker and a duplicate is not noticed.`,
    noprefixroute: `
Have the kernel not add the route of the address's network.`,
    preferred_lft: `
Preferred lifetime of the IPv6 address in seconds, or "forever". 0 makes it deprecated from the beginning: reachable, but not chosen as
source.`,
    network_namespace: `
Name of the network namespace (ip netns) in which the address is managed. A namespace that does not exist holds no address: stop succeeds,
start fails.`,
    check_link_status: `
Count an address as not running when its interface is down or has no link, so that the cluster moves it. To a probe it counts as failed
then, so that the cluster removes it here before it starts it elsewhere.`,
    ...traceProse,
  },
} satisfies EnglishProse<typeof params>;
