import { failed, type Finding, fine, warning } from '@harbinger/shared/findings'
import { type Config, loadConfig, usedConfigFile } from '../config.ts'

type Read = {
  readonly findings: readonly Finding[]
  /** Undefined when they have mistakes. */
  readonly config: Config | undefined
  /** Where they come from, for a person. */
  readonly file: string
}

/** The settings in force, with every mistake in them. */
export async function readSettings({
  file: named,
  env,
}: {
  readonly file?: string | undefined
  readonly env?: { readonly [name: string]: string | undefined }
}): Promise<Read> {
  const file = usedConfigFile(named) ?? 'the environment'
  try {
    const config = await loadConfig({ file: named, ...(env && { env }) })
    const settings = fine(
      'settings',
      file === 'the environment' ? 'no file; defaults and the environment' : file,
    )
    return { findings: [settings, judgeServerName(config.server, file)], config, file }
  } catch (error) {
    const mistakes = (error as Error).message
      .split('\n')
      .slice(1)
      .map((line) => line.trim())
    const found = mistakes.length > 0 ? mistakes.join('\n') : (error as Error).message
    return { findings: [failed('settings', found, adviceOn(found, file))], config: undefined, file }
  }
}

function adviceOn(mistakes: string, file: string): string {
  const web = /hub: expected .*got "(https?):\/\/([^":/]+)/i.exec(mistakes)
  if (web) {
    return `that is the address of the fleet view; agents speak MQTT: hub: ${web[1] === 'https' ? `mqtts://${web[2]}:8883` : `mqtt://${web[2]}:1883`}\nin ${file}; joining writes it: harbinger token create on the hub prints the line`
  }
  if (/cannot be read: EACCES/.test(mistakes)) {
    return `run it as root: sudo harbinger-agent doctor; the service has to be able to read it: chmod 644 ${file}`
  }
  return `correct ${file === 'the environment' ? 'the variables' : file}; man harbinger-agent.yaml has every setting. Then: systemctl restart harbinger-agent`
}

/** Names that a system has when nobody gave it one: to a hub all such servers are one. */
function judgeServerName(server: string, file: string): Finding {
  return /^(localhost|localhost\.localdomain|debian|ubuntu|raspberrypi|linux|server)$/i.test(server)
    ? warning(
        'server name',
        `${server}: other servers are called that too, and to the hub they would be one`,
        `hostnamectl set-hostname NAME, or server: NAME in ${file}; then join under that name`,
      )
    : fine('server name', server)
}
