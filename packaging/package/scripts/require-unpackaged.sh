# What a package has laid, that package's manager takes away, and knows of it.
tsha_require_unpackaged() {
  ! owner=$(dpkg-query --search @AGENTDIR@/@AGENT@ 2>/dev/null) || tsha_stays "dpkg --remove ${owner%%:*} takes it away"
  ! owner=$(rpm -qf --queryformat '%{NAME}' @AGENTDIR@/@AGENT@ 2>/dev/null) || tsha_stays "rpm -e $owner takes it away"
}
