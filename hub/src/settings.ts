/** One thing the hub can be told: in the file under its key, in the environment, or (some) on the command line. */
export type Setting = {
  readonly env: string
  readonly default: string | number
  readonly unit: string
  readonly expects: string
  /** Masked wherever it is shown. */
  readonly secret?: boolean
}

const setting = (
  env: string,
  value: string | number,
  { unit = '', expects = 'text', secret = false } = {},
): Setting => ({ env: `HARBINGER_${env}`, default: value, unit, expects, secret })

const aPort = { expects: 'a port, 0 to 65535' }
const hours = { unit: 'hours', expects: 'a number of hours above 0' }
const aUrl = { expects: 'an https address (http only on loopback), or nothing' }
const claimValues = { expects: 'values of the claim with commas between, * is anybody' }
const yesOrNo = { expects: 'yes or no' }
const aFile = { expects: 'a file, or nothing' }
const days = { unit: 'days', expects: 'a number of days above 0' }

export const settings = {
  'http.host': setting('HTTP_HOST', '127.0.0.1'),
  'http.port': setting('HTTP_PORT', 8080, aPort),
  'http.hstsSeconds': setting('HTTP_HSTS_SECONDS', 31_536_000, {
    unit: 'seconds',
    expects: 'a number of seconds, 0 is none',
  }),
  'http.allowedHosts': setting('HTTP_ALLOWED_HOSTS', '', { expects: 'names with commas between' }),
  'http.allowPlain': setting('HTTP_ALLOW_PLAIN', 'no', yesOrNo),
  'mqtt.host': setting('MQTT_HOST', '127.0.0.1'),
  'mqtt.port': setting('MQTT_PORT', 1883, aPort),
  'mqtt.allowPlain': setting('MQTT_ALLOW_PLAIN', 'no', yesOrNo),
  'tls.mode': setting('TLS_MODE', 'off', { expects: 'on or off' }),
  'tls.names': setting('TLS_NAMES', '', { expects: 'names and addresses with commas between' }),
  'tls.serverDays': setting('TLS_SERVER_DAYS', 90, days),
  'tls.agentDays': setting('TLS_AGENT_DAYS', 90, days),
  'tls.certificateFile': setting('TLS_CERTIFICATE_FILE', '', aFile),
  'tls.keyFile': setting('TLS_KEY_FILE', '', aFile),
  'tls.trustFile': setting('TLS_TRUST_FILE', '', aFile),
  'tls.caCertificateFile': setting('TLS_CA_CERTIFICATE_FILE', '', aFile),
  'tls.caKeyFile': setting('TLS_CA_KEY_FILE', '', aFile),
  'broker.url': setting('BROKER_URL', '', {
    expects: 'mqtts://host:port, mqtt://host:port, or nothing for the embedded broker',
  }),
  'broker.clientId': setting('BROKER_CLIENT_ID', 'harbinger-hub', {
    expects: '1 to 64 characters of A-Z a-z 0-9 . _ -',
  }),
  'broker.username': setting('BROKER_USERNAME', ''),
  'broker.password': setting('BROKER_PASSWORD', '', { secret: true }),
  'broker.passwordFile': setting('BROKER_PASSWORD_FILE', '', { expects: 'a file, or nothing' }),
  'broker.caFile': setting('BROKER_CA_FILE', '', { expects: 'a file, or nothing' }),
  'broker.certFile': setting('BROKER_CERT_FILE', '', { expects: 'a file, or nothing' }),
  'broker.keyFile': setting('BROKER_KEY_FILE', '', { expects: 'a file, or nothing' }),
  'broker.allowPlain': setting('BROKER_ALLOW_PLAIN', 'no', yesOrNo),
  'data.folder': setting('DATA_FOLDER', '.harbinger/data'),
  'model.folder': setting('MODEL_FOLDER', '', { expects: 'a folder, or nothing' }),
  'forecast.device': setting('FORECAST_DEVICE', 'auto', { expects: 'auto, cpu, webgpu or cuda' }),
  'forecast.everySeconds': setting('FORECAST_EVERY_SECONDS', 60, {
    unit: 'seconds',
    expects: 'a number of seconds above 0',
  }),
  'retention.rawDays': setting('RETENTION_RAW_DAYS', 2, days),
  'retention.minuteDays': setting('RETENTION_MINUTE_DAYS', 14, days),
  'retention.quarterDays': setting('RETENTION_QUARTER_DAYS', 400, days),
  'servers.retireAfterDays': setting('SERVERS_RETIRE_AFTER_DAYS', 30, {
    unit: 'days',
    expects: 'a number of days, 0 is never',
  }),
  'training.everyDays': setting('TRAINING_EVERY_DAYS', 7, {
    unit: 'days',
    expects: 'a number of days, 0 is no schedule',
  }),
  'training.minutes': setting('TRAINING_MINUTES', 30, {
    unit: 'minutes',
    expects: 'a number of minutes above 0',
  }),
  'training.hoursBetween': setting('TRAINING_HOURS_BETWEEN', 24, {
    unit: 'hours',
    expects: 'a number of hours above 0',
  }),
  'training.perWeek': setting('TRAINING_PER_WEEK', 3, {
    unit: 'trainings',
    expects: 'a whole number above 0',
  }),
  'training.quietHours': setting('TRAINING_QUIET_HOURS', '', {
    unit: "of the hub's day",
    expects: 'hours like 08:00-18:00, or nothing',
  }),
  'training.promote': setting('TRAINING_PROMOTE', 'auto', { expects: 'auto or manual' }),
  'http.trustedProxies': setting('HTTP_TRUSTED_PROXIES', '', {
    expects: 'addresses or networks with commas between',
  }),
  'login.idleHours': setting('LOGIN_IDLE_HOURS', 8, hours),
  'login.hours': setting('LOGIN_HOURS', 168, hours),
  'login.openOnLoopback': setting('LOGIN_OPEN_ON_LOOPBACK', 'no', yesOrNo),
  'audit.days': setting('AUDIT_DAYS', 365, days),
  'oidc.issuer': setting('OIDC_ISSUER', '', aUrl),
  'oidc.clientId': setting('OIDC_CLIENT_ID', ''),
  'oidc.clientSecret': setting('OIDC_CLIENT_SECRET', '', { secret: true }),
  'oidc.hubUrl': setting('OIDC_HUB_URL', '', aUrl),
  'oidc.label': setting('OIDC_LABEL', 'single sign-on'),
  'oidc.scopes': setting('OIDC_SCOPES', 'openid profile email'),
  'oidc.nameClaim': setting('OIDC_NAME_CLAIM', 'preferred_username'),
  'oidc.roleClaim': setting('OIDC_ROLE_CLAIM', 'groups'),
  'oidc.admins': setting('OIDC_ADMINS', '', claimValues),
  'oidc.operators': setting('OIDC_OPERATORS', '', claimValues),
  'oidc.viewers': setting('OIDC_VIEWERS', '', claimValues),
  'demo.servers': setting('DEMO_SERVERS', 0, { unit: 'servers', expects: 'a number, 0 is none' }),
  'demo.seed': setting('DEMO_SEED', 7, { expects: 'a whole number' }),
  'log.level': setting('LOG_LEVEL', 'info', { expects: 'debug, info, warn, error or silent' }),
  'ui.folder': setting('UI_FOLDER', '', { expects: 'a folder' }),
} as const satisfies Record<string, Setting>

export type SettingKey = keyof typeof settings

export const positive = (text: string): number | undefined =>
  /^\d+(\.\d+)?$/.test(text) && Number(text) > 0 ? Number(text) : undefined

/** 0 or more. */
export const countOrNone = (text: string): number | undefined =>
  /^\d+(\.\d+)?$/.test(text) ? Number(text) : undefined

export const yesNo = (text: string): boolean | undefined =>
  ({ yes: true, true: true, no: false, false: false })[text]

export const port = (text: string): number | undefined =>
  /^\d{1,5}$/.test(text) && Number(text) <= 65_535 ? Number(text) : undefined
