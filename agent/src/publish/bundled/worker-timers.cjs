// In node, mqtt asks for the timers of a worker and never uses them.
module.exports = { setInterval, clearInterval }
