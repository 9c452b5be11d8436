#!/bin/sh
':' //; command -v node >/dev/null || { echo 'error: this needs Node.js, and no node is on the PATH' >&2; exit 125; }
':' //; { true 3>&1; } 2>/dev/null || { printf 'error: cannot write stdout: it is closed\n  send it to a file, a pipe or /dev/null\n' >&2; exit 125; }
':' //; [ ! -r /proc/$$/status ] || while read -r _key KUBERUN_SIGIGN; do [ "$_key" != SigIgn: ] || { export KUBERUN_SIGIGN; break; }; done </proc/$$/status
':' //; exec node --max-semi-space-size=1 --heap-growing-percent=20 -- "$0" "$@"
// Node obeys an `--env-file` anywhere among a program's words, the command's too, unless a `--` stands before them: it
// would end with 9 for a file that is not there, and take on the variables of one that is. An `env -S` does not exist
// everywhere; so this is read by sh first, which runs the lines above, and then by Node, for which they are strings.
//
// Two things can be seen only before Node starts, as it opens /dev/null for a stdout that is closed, and gives all
// signals their effect back: which ones our parent has set to be ignored goes to it in KUBERUN_SIGIGN, where /proc tells.
//
// The young generation is kept small (1 MB): what is streamed is garbage at once, and outside of V8's own heap, where it
// counts for nothing until it is collected. That holds the memory of a run at half of what it would grow to.
//
// In old syntax, as it must load in any Node to tell that that is too old. Its file name tells what it starts.
'use strict'

var fs = require('fs')
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

enableCompileCache(require('module'))
require('../' + path.basename(__filename).replace(/^kubectl-/, '') + '.js')

// In a place that is the user's own: what lies in it is run. Node itself sees to $NODE_COMPILE_CACHE.
function enableCompileCache(module) {
  var caches = userCaches(process.env)
  if (!module.enableCompileCache || !caches || process.env.NODE_COMPILE_CACHE) return
  var folder = path.join(caches, 'kuberun')
  // Node would try for ever where no folder can be made, as in /proc.
  if (makeFolder(caches) && makeFolder(folder)) module.enableCompileCache(folder)
}

// By the XDG Base Directory Specification: a path that is not absolute is no path.
function userCaches(environment) {
  var xdg = environment.XDG_CACHE_HOME || ''
  var home = environment.HOME || ''
  return path.isAbsolute(xdg) ? xdg : path.isAbsolute(home) && path.join(home, '.cache')
}

function makeFolder(folder) {
  try {
    if (!fs.existsSync(folder)) fs.mkdirSync(folder, 448) // 0700
    return true
  } catch (error) {
    // Another run may have been quicker.
    return error.code === 'EEXIST'
  }
}
