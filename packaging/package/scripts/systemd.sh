tsha_reload_units() {
  [ ! -d /run/systemd/system ] || systemctl daemon-reload || :
}
# What somebody has enabled would stay so without its unit.
tsha_disable_units() {
  ! command -v systemctl >/dev/null || systemctl --quiet disable --now tsha-metrics.timer 2>/dev/null || :
}
