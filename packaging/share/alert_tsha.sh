#!/bin/sh
# Pacemaker's alert agent of tsha. Each event becomes a line of JSON, for `tsha history` and `tsha report`; what went wrong becomes a mail to
# the recipient, where the alert has one. The other way round it is DRBD's handler: split-brain "/usr/share/pacemaker/alerts/alert_tsha.sh split-brain root";
export LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin
umask 027
# hacluster's own, below a directory of root's: nobody else can put a link in the way.
dir=/var/lib/tsha
log=events.jsonl
# Bytes, after which a new log is begun. The one before it stays, and no other.
most=1048576
# Seconds in which the same mail is not sent twice.
quiet=600

complain() {
  echo "alert_tsha.sh: $*" >&2
  logger -t tsha-alert -p daemon.warning -- "$*" 2>/dev/null
}

# Every other value begins a process or two, and this is called often: what is harmless is taken as it is.
json() {
  text=$1
  [ ${#text} -le 1000 ] || text=$(printf %.1000s "$text")...
  case $text in
    *[\\\"[:cntrl:]]*) text=$(printf %s "$text" | tr '\001-\037\177' '[ *]' | sed 's/[\\"]/\\&/g') ;;
  esac
  json=\"$text\"
}
number() {
  case $1 in
    '' | - | ?*[!0-9]* | [!0-9-]*) number=null ;;
    0?* | -0*) number=null ;;
    ????????????????*) number=null ;;
    *) number=$1 ;;
  esac
}

# In the directory itself from here on, whatever becomes of its name.
enter() {
  if [ -L "$dir" ] || ! cd -P "$dir" 2>/dev/null; then
    complain "cannot write to $dir: systemd-tmpfiles --create tsha.conf makes it"
    return 1
  fi
  [ -O . ] && return
  complain "$dir does not belong to $(id -un)"
  return 1
}

# None in the moment in which another one changes it.
bytes() {
  { wc -c <$log; } 2>/dev/null || echo 0
}

append() {
  if [ -L $log ] || ! printf '%s\n' "$1" 2>/dev/null >>$log; then
    complain "cannot write to $dir/$log"
    return 1
  fi
  # to look each time would cost as much as the rest
  case $sequence in *[1-9]) return ;; esac
  [ "$(bytes)" -gt $most ] || return 0
  (
    flock -n 9 || exit 0
    [ "$(bytes)" -le $most ] || mv -f $log $log.1
  ) 9>.lock || complain "cannot begin a new $dir/$log"
  return 0
}

# send TO SUBJECT, with the text on stdin
send() {
  case $1 in
    '' | -* | *[!A-Za-z0-9._+@,=-]*)
      complain "this is no address to send mail to: $1"
      return 1
      ;;
  esac
  subject=$(printf %.200s "$2" | tr '\001-\037\177' '[ *]')
  if program=$(command -v sendmail || command -v /usr/lib/sendmail); then
    {
      printf 'To: %s\nSubject: %s\nAuto-Submitted: auto-generated\n' "$1" "$subject"
      printf 'MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n'
      cat
    } | timeout 25 "$program" -i -t
  elif program=$(command -v mail || command -v mailx); then
    timeout 25 "$program" -s "$subject" "$1"
  else
    complain "no sendmail and no mail is installed; not sent to $1: $subject"
    return 1
  fi || {
    complain "$program failed; not sent to $1: $subject"
    return 1
  }
}

# Whether a mail of this subject to this recipient may go now. A monitor that fails every ten seconds sends one, not hundreds.
is_news() {
  [ ! -L mailed ] || return 1
  now=$(date +%s)
  (
    flock 9
    : >>mailed
    while read -r then about; do
      [ "$((now - then))" -lt $quiet ] 2>/dev/null || continue
      [ "$about" != "$1" ] || exit 1
      printf '%s %s\n' "$then" "$about"
    done <mailed >mailed.new
    printf '%s %s\n' "$now" "$1" | tr -d '\001-\011\013-\037' >>mailed.new
    tail -n 100 mailed.new >mailed
  ) 9>.lock
}

# What the agent itself said, which Pacemaker writes into the CIB and tells no alert.
reason_of() {
  case $CRM_alert_node$CRM_alert_rsc$CRM_alert_task in *[!A-Za-z0-9._+@:-]*) return ;; esac
  where="//node_state[@uname='$CRM_alert_node']//lrm_resource[@id='$CRM_alert_rsc']/lrm_rsc_op[@operation='$CRM_alert_task' and @rc-code='$CRM_alert_rc']"
  for pause in 0.2 1 3; do
    sleep $pause
    found=$(timeout 5 cibadmin --query --xpath "$where" 2>/dev/null |
      sed -n 's/.* exit-reason="\([^"]*\)".*/\1/p' | sed '/^$/d;s/&lt;/</g;s/&gt;/>/g;s/&quot;/"/g;s/&#39;\|&apos;/'"'"'/g;s/&amp;/\&/g' | tail -n 1)
    [ -z "$found" ] || break
  done
}

if [ "$1" = split-brain ]; then
  # DRBD waits for its handler
  shift
  {
    here=$(uname -n)
    resource=$DRBD_RESOURCE
    setpriv --reuid=hacluster --regid=haclient --clear-groups --no-new-privs env -i CRM_alert_version=tsha CRM_alert_kind=split-brain \
      CRM_alert_node="$here" CRM_alert_rsc="$resource" CRM_alert_timestamp_epoch="$(date +%s)" CRM_alert_timestamp_usec="$(date +%6N)" "$0"
    complain "split brain of $resource on $here: tsha split-brain $resource"
    for to in "${@:-root}"; do
      send "$to" "split brain of $resource on $here" <<END
DRBD has found a split brain of $resource: $here and ${DRBD_PEERS:-its peer} each have changes that the other one lacks,
and are not connected any more. Clients on the node that serves may go on.

Nothing in haste helps. Look at both sides first, as root on $here:

    tsha split-brain $resource
END
    done
  } </dev/null >/dev/null 2>&1 &
  exit 0
fi

if [ -z "$CRM_alert_version" ]; then
  echo "This is called by Pacemaker: pcs alert create path=$0 id=tsha-alert"
  exit 0
fi

kind=$CRM_alert_kind
wrong=
case $kind in
  resource)
    # cancelled: nothing has happened
    case $CRM_alert_task:$CRM_alert_status in notify:* | *:1) exit 0 ;; esac
    case $CRM_alert_task:$CRM_alert_interval:$CRM_alert_rc in monitor:0:[078]) exit 0 ;; esac
    if [ "$CRM_alert_status:$CRM_alert_rc" = "0:$CRM_alert_target_rc" ]; then
      [ "$CRM_alert_task" != monitor ] || exit 0
    else
      wrong="$CRM_alert_task of $CRM_alert_rsc failed on $CRM_alert_node"
    fi
    ;;
  fencing) wrong="fencing: $CRM_alert_desc" ;;
  attribute)
    # only where the alert asks for attributes
    case $CRM_alert_attribute_name:$CRM_alert_attribute_value in
      tsha-drbd-*:*split*brain*) wrong="split brain of ${CRM_alert_attribute_name#tsha-drbd-}, seen by $CRM_alert_node" ;;
    esac
    ;;
  node) [ "$CRM_alert_desc" = member ] || wrong="node $CRM_alert_node is $CRM_alert_desc" ;;
esac

enter || exit 1
seconds=$CRM_alert_timestamp_epoch
part=000000$CRM_alert_timestamp_usec
part=${part#"${part%??????}"}
case $seconds$part in
  '' | *[!0-9]*) at=$(date +%s.%6N) ;;
  ??????????*) at=$seconds.$part ;;
  *) at=$(date +%s.%6N) ;;
esac
number "$CRM_alert_node_sequence"
sequence=$number
line="{\"v\":1,\"at\":$at,\"seq\":$number"
key=$line
json "$kind" && line="$line,\"kind\":$json"
json "$CRM_alert_node" && line="$line,\"node\":$json"
case $kind in
  resource)
    json "$CRM_alert_rsc" && line="$line,\"resource\":$json"
    json "$CRM_alert_task" && line="$line,\"action\":$json"
    number "$CRM_alert_interval" && line="$line,\"intervalMs\":$number"
    number "$CRM_alert_rc" && line="$line,\"code\":$number"
    number "$CRM_alert_target_rc" && line="$line,\"expected\":$number"
    number "$CRM_alert_status" && line="$line,\"status\":$number"
    number "$CRM_alert_exec_time" && line="$line,\"ms\":$number"
    ;;
  fencing)
    json "$CRM_alert_task" && line="$line,\"action\":$json"
    number "$CRM_alert_rc" && line="$line,\"code\":$number"
    ;;
  attribute)
    json "$CRM_alert_attribute_name" && line="$line,\"name\":$json"
    json "$CRM_alert_attribute_value" && line="$line,\"value\":$json"
    ;;
  split-brain) json "$CRM_alert_rsc" && line="$line,\"resource\":$json" ;;
esac
json "$CRM_alert_desc"
append "$line,\"what\":$json}" || exit 1

[ "$wrong" ] || exit 0
found=
if [ "$kind" = resource ]; then
  reason_of
  if [ "$found" ]; then
    json "$found"
    append "$key,\"reason\":$json}" || exit 1
  fi
fi
to=$CRM_alert_recipient
[ "$to" ] || exit 0
is_news "$to $wrong" || exit 0
send "$to" "$wrong" <<END
$wrong${CRM_alert_desc:+: $CRM_alert_desc}${found:+
The agent says: $found}
at $CRM_alert_timestamp, told by $(uname -n)

What clients get now:   tsha status
What has happened:      tsha history
END
