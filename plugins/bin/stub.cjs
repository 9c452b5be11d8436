#!/bin/sh
':' //; command -v node >/dev/null || { echo 'error: this needs Node.js, and no node is on the PATH' >&2; exit 125; }
':' //; exec node --max-semi-space-size=1 -- "$0" "$@"
// Node obeys an `--env-file` anywhere among a program's words, the command's too, unless a `--` stands before them: it
// would end with 9 for a file that is not there, and take on the variables of one that is. An `env -S` does not exist
// everywhere; so this is read by sh first, which runs the lines above, and then by Node, for which they are strings.
//
// The young generation is kept small (1 MB): what is streamed is garbage at once, and outside of V8's own heap, where it
// counts for nothing until it is collected. That holds the memory of a run at half of what it would grow to.
//
// In old syntax, as it must load in any Node to tell that that is too old. Its file name tells what it starts.
'use strict'

var path = require('path')

var runtime = process.versions
var node = runtime.node.split('.').map(Number)
// As in package.json: ^22.22 || ^24 || >=26
if (!runtime.bun && !((node[0] === 22 && node[1] >= 22) || node[0] === 24 || node[0] >= 26)) {
  process.stderr.write('error: this needs Node.js 22.22, 24, 26 or later, and is run by ' + process.version + '\n')
  process.exit(125)
}

// Before anything takes its time: without a listener, SIGUSR1 starts Node's debugger.
process.on('SIGUSR1', function () {})

enableCompileCache(require('module'), require('os'))
require('../' + path.basename(__filename).replace(/^kubectl-/, '') + '.js')

// In a place that is the user's own: what lies in it is run.
function enableCompileCache(module, os) {
  if (!module.enableCompileCache) return
  var home = process.env.XDG_CACHE_HOME || (process.env.HOME && path.join(os.homedir(), '.cache'))
  if (home) module.enableCompileCache(process.env.NODE_COMPILE_CACHE || path.join(home, 'kuberun'))
}
