#!/bin/sh
# Starts the Harbinger agent on the Node.js it brings. Root goes on as the service's user, so that what is written belongs
# to the service and `doctor` finds what the service would; only `join` writes in /etc.
as=
if [ "$1" != join ] && [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null && id harbinger-agent >/dev/null 2>&1; then
  as='setpriv --reuid=harbinger-agent --regid=harbinger-agent --init-groups'
fi
exec $as /usr/lib/harbinger-agent/bin/node @FLAGS@ /usr/lib/harbinger-agent/harbinger-agent.js "$@"
