# The user the service runs as, and the folder that is its.
getent group @USER@ >/dev/null || groupadd --system @USER@
getent passwd @USER@ >/dev/null || useradd --system --gid @USER@ --home-dir @STATE@ --no-create-home \
  --shell /usr/sbin/nologin --comment '@NAME@' @USER@
