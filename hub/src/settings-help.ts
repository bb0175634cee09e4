import type { SettingKey } from './settings.ts'

/** What each setting is for, in one sentence: for the configuration file and the man page that packages carry. */
export const settingsHelp: { readonly [key in SettingKey]?: string } = {
  'http.host': 'address that the fleet view and the API are served on; 0.0.0.0 is all of them',
  'http.port': 'port of the fleet view and the API',
  'http.allowedHosts': 'further names that browsers may call the hub by',
  'mqtt.host': 'address that agents connect to; 0.0.0.0 is all of them',
  'mqtt.port': 'port that agents connect to',
  'data.folder': 'where samples, forecasts and trained models are kept',
  'model.folder': 'the model a new hub starts with; nothing is the one that comes with Harbinger',
  'forecast.device': 'what the network runs on; auto takes a GPU that works, else the processor',
  'forecast.everySeconds': 'time between two forecasts of the fleet',
  'retention.rawDays': 'how long samples are kept as they came',
  'retention.minuteDays': 'how long their means by the minute are kept',
  'retention.quarterDays': 'how long their means by the quarter of an hour are kept',
  'training.everyDays': 'how often the hub trains by itself; 0 is never',
  'training.minutes': 'how long one training may take',
  'training.hoursBetween': 'least time between two trainings, whatever starts them',
  'training.perWeek': 'most trainings in a week, whatever starts them',
  'training.quietHours': 'hours in which no training starts, like 08:00-18:00',
  'training.promote': 'whether a model that passes the gate serves by itself',
  'demo.servers': 'size of the simulated fleet that is shown beside the real one',
  'demo.seed': 'which simulated fleet it is',
  'log.level': 'least important lines that are logged',
  'ui.folder': 'the built fleet view; nothing is the one that comes with Harbinger',
}
