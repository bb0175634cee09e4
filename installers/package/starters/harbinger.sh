#!/bin/sh
# Starts Harbinger's hub and its commands on the Node.js it brings. Root goes on as the service's user: what it writes is
# the service's.
as=
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null && id harbinger >/dev/null 2>&1; then
  as='setpriv --reuid=harbinger --regid=harbinger --init-groups'
fi
exec $as /usr/lib/harbinger-hub/bin/node @FLAGS@ /usr/lib/harbinger-hub/hub/src/main.ts "$@"
