import { createServer } from 'node:net'
import { failed, type Finding, fine, notChecked, warning } from '@harbinger/shared/findings'
import type { Asked } from './asked.ts'

type Where = { readonly host: string; readonly port: number }

/** The ports the hub listens on: its own already, or free for it. A hub that runs is asked and not disturbed. */
export async function examinePorts({ hub, config }: Asked): Promise<Finding[]> {
  const runs = hub.state === 'answers' ? hub : undefined
  const ports = [
    ['port for fleet view', config.http, 'http.port', runs?.address],
    ...(config.broker
      ? []
      : [
          [
            'port for agents (MQTT)',
            config.mqtt,
            'mqtt.port',
            runs?.health.broker.address,
          ] as const,
        ]),
  ] as const
  return Promise.all(
    ports.map(async ([check, where, setting, listens]) => {
      const at = `${where.host}:${where.port}`
      if (listens !== undefined) return judgeOwn(check, { at, listens, where })
      return hub.state === 'none'
        ? judge(check, at, { where, setting, problem: await tryPort(where) })
        : notChecked(check, 'the hub that runs does not say whether it has it')
    }),
  )
}

function judgeOwn(
  check: string,
  { at, listens, where }: { at: string; listens: string; where: Where },
): Finding {
  return listens.endsWith(`:${where.port}`)
    ? fine(check, `the hub that runs listens at ${listens}`)
    : warning(
        check,
        `the settings say ${at}, the hub that runs listens at ${listens}`,
        'it was started with other options, or not restarted after a change: systemctl restart harbinger-hub',
      )
}

function judge(
  check: string,
  at: string,
  {
    where: { port },
    setting,
    problem,
  }: { where: Where; setting: string; problem: string | undefined },
): Finding {
  switch (problem) {
    case undefined:
      return fine(check, `${at} is free`)
    case 'EADDRINUSE':
      return failed(
        check,
        `${at} is taken by another program`,
        `which one, as root: ss -ltnp 'sport = :${port}'; stop it, or set another ${setting}`,
      )
    case 'EACCES':
      return failed(
        check,
        `${at} is for root alone, as all ports below 1024 are`,
        `set ${setting} to one above, or let the unit have it: systemctl edit harbinger-hub, [Service], AmbientCapabilities=CAP_NET_BIND_SERVICE, CapabilityBoundingSet=CAP_NET_BIND_SERVICE, PrivateUsers=no`,
      )
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return failed(
        check,
        `${at} is no address of this machine`,
        `ip -br address shows those it has; 0.0.0.0 is all of them (${setting.replace('port', 'host')})`,
      )
    default:
      return failed(check, `${at}: ${problem}`, `set another ${setting}`)
  }
}

const tryPort = ({ host, port }: Where): Promise<string | undefined> =>
  new Promise((resolve) => {
    const server = createServer()
    server.once('error', ({ code, message }: NodeJS.ErrnoException) => resolve(code ?? message))
    server.listen(port, host, () => server.close(() => resolve(undefined)))
  })
