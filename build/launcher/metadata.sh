if [ "$1" = meta-data ]; then
  printf '%s' @METADATA@ || exit 1
  exit 0
fi
