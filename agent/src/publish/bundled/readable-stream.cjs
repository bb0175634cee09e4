// node's streams are what readable-stream copies for browsers.
module.exports = require('node:stream')
