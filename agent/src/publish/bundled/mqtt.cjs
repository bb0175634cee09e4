// The client class by itself: mqtt's front door also loads WebSockets, proxies and a command line (4 MB of memory).
module.exports = { MqttClient: require('mqtt/lib/client').default }
