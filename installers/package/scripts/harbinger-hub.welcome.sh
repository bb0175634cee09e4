# What comes next. The secret makes the first admin, once; none is made where nothing runs, as in an image.
hub="https://$(uname -n):8443"
secret=
if [ -d /run/systemd/system ]; then
  secret=$(/usr/bin/harbinger user set-up-secret --config @CONFIG@ 2>/dev/null || true)
fi
cat <<END

  Harbinger's hub serves $hub, by a certificate of its own authority: a browser warns of it once.${start:-}
  1. Make the first admin:  $hub/set-up
     with this secret:      ${secret:-shown by: harbinger user set-up-secret}
  2. Join servers to it:    harbinger token create     (or in the browser, page Settings)
  Agents come in at port 8883. Settings: @CONFIG@. Log: journalctl -u @UNIT@

END
