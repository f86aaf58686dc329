# Of these notifications nothing is to be done, and the whole cluster waits for the answer. A trace wants to see them all the same.
case $1:$OCF_RESKEY_CRM_meta_notify_type-$OCF_RESKEY_CRM_meta_notify_operation:$OCF_RESKEY_trace_ra in
  @NEEDLESS@) exit 0 ;;
esac
