/** Where Pacemaker's alert agent of tsha is (packaging/share/alert_tsha.sh), and what it writes. */
export const alertAgent = '/usr/share/pacemaker/alerts/alert_tsha.sh';
export const alertFolder = '/var/lib/tsha';
/** Ours in the CIB: one for the whole cluster, whatever pairs it has. */
export const alertId = 'tsha-alert';
