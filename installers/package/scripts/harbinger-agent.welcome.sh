# What comes next.
if grep -qs '^hub: none' @CONFIG@; then
  cat <<END

  Harbinger's agent waits until this server has joined a hub. There, "harbinger token create" or the page Settings
  gives the line to run here as root, "harbinger-agent join https://…"; it starts the agent too.

END
fi
