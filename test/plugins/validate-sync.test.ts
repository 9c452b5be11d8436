import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toSyncedRunOptions } from '../../plugins/sync-options.ts'
import { warpFlags } from '../../plugins/warp-flags.ts'
import { defaultMaxUpload, defaultRemoteDir, type SyncOptions, validate } from '../../src/options.ts'
import { flagValues } from '../support/flag-values.ts'
import { runOptions } from '../support/run-options.ts'

function parse(...words: string[]) {
  const { values, command } = flagValues(words, warpFlags)
  return toSyncedRunOptions('warp', values, command)
}

/** The options of a sync as the command line makes them from no flags at all. */
const defaults: SyncOptions = {
  dir: '.',
  remoteDir: defaultRemoteDir,
  exclude: [],
  include: [],
  ignore: true,
  maxUpload: defaultMaxUpload,
  once: false,
  strict: false,
}

test('without flags, a warp is a kuberun with the sync that the help tells of', () => {
  assert.deepEqual(parse('echo'), runOptions(['echo'], { program: 'warp', sync: defaults }))
})

test('each flag of the sync sets its option', () => {
  const rows: [string[], Partial<SyncOptions>][] = [
    [['--dir=..'], { dir: '..' }],
    [['--dir', 'a', '--dir', 'b'], { dir: 'b' }],
    [['--remote-dir=/app'], { remoteDir: '/app' }],
    [['--exclude=*.log', '--exclude', 'a,b'], { exclude: ['*.log', 'a,b'] }],
    [['--include=src/**', '--include=!src/tmp'], { include: ['src/**', '!src/tmp'] }],
    [['--no-ignore'], { ignore: false }],
    [['--no-ignore=false'], { ignore: true }],
    [['--max-upload=1.5GB'], { maxUpload: 1_500_000_000 }],
    [['--once', '--strict'], { once: true, strict: true }],
    [['--on-sync=make -s'], { onSync: 'make -s' }],
    [['--on-sync='], {}],
  ]
  for (const [words, changes] of rows) {
    assert.deepEqual(parse(...words, 'x').sync, { ...defaults, ...changes }, words.join(' '))
  }
})

test('what is right of a sync passes', () => {
  const lines = [
    ['--remote-dir=/a', 'x'],
    ['--remote-dir=/a//b c/é/', 'x'],
    ['--remote-dir=/...', 'x'],
    ['--remote-dir=/process', 'x'],
    ['--remote-dir=/home/dev', 'x'],
    ['--dir= ', 'x'],
    ['--max-upload=1', 'x'],
    ['--on-sync=a\nb', 'x'],
  ]
  for (const words of lines) assert.doesNotThrow(() => validate(parse(...words)), JSON.stringify(words))
})

const mistakes: [string[], RegExp][] = [
  [['--dir=', 'x'], /^invalid folder "": must not be empty$/],
  [['--dir=a\0', 'x'], /NUL byte$/],
  [['--remote-dir=', 'x'], /^invalid remote folder "": must be an absolute path in the container$/],
  [['--remote-dir=app', 'x'], /^invalid remote folder "app": must be an absolute path in the container$/],
  [['--remote-dir=/', 'x'], /^invalid remote folder "\/": must not be the root of the container$/],
  [['--remote-dir=//', 'x'], /must not be the root of the container$/],
  [['--remote-dir=/./', 'x'], /must not have "\." or "\.\." between slashes$/],
  [['--remote-dir=/a/../proc', 'x'], /must not have "\." or "\.\." between slashes$/],
  [['--remote-dir=/proc', 'x'], /^invalid remote folder "\/proc": must not be in \/proc$/],
  [['--remote-dir=//proc/', 'x'], /must not be in \/proc$/],
  [['--remote-dir=/sys/a', 'x'], /must not be in \/sys$/],
  [['--remote-dir=/dev/shm/a', 'x'], /must not be in \/dev$/],
  [['--remote-dir=/.kuberun/a', 'x'], /must not be in \/\.kuberun$/],
  [['--remote-dir=/.kuberun-sync', 'x'], /must not be in \/\.kuberun-sync$/],
  [['--remote-dir=/a:b', 'x'], /must not hold ":"$/],
  [['--remote-dir=/a\n', 'x'], /must not hold control characters$/],
  [['--max-upload=0', 'x'], /^--max-upload must be higher than zero$/],
  [['--max-upload=0.4B', 'x'], /^--max-upload must be higher than zero$/],
  [['--on-sync=\0', 'x'], /NUL byte$/],
  [['--once', '--on-sync=make', 'x'], /^--on-sync has nothing to run after with --once$/],
  [['--image=', 'x'], /^invalid image ""/],
]

test('every mistake of a sync is found, named, and worded as all are', () => {
  for (const [words, message] of mistakes) {
    const options = parse(...words)
    assert.throws(() => validate(options), { name: 'UsageError', code: 'usage', message }, JSON.stringify(words))
  }
})

test('a pattern that can match nothing is a mistake of its flag', () => {
  for (const flag of ['exclude', 'include']) {
    assert.throws(() => parse(`--${flag}=a//b`, 'x'), {
      name: 'UsageError',
      message: `invalid argument "a//b" for "--${flag}" flag: must not have two slashes together`,
    })
  }
})
