import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toReturningRunOptions } from '../../plugins/back-options.ts'
import { biwarpFlags } from '../../plugins/biwarp-flags.ts'
import { toSyncedRunOptions } from '../../plugins/sync-options.ts'
import { warpFlags } from '../../plugins/warp-flags.ts'
import { type BackOptions, type SyncOptions, validate } from '../../src/options.ts'
import { flagValues } from '../support/flag-values.ts'

function parse(...words: string[]) {
  const { values, command } = flagValues(words, biwarpFlags)
  return toReturningRunOptions('biwarp', values, command)
}

/** How changes come back as the command line makes it from no flags at all. */
const defaults: BackOptions = { patterns: [], onConflict: 'keep-both', allowMassDelete: false, interval: 1_000 }

test('without flags, a biwarp is a warp with the way back that the help tells of', () => {
  const { values, command } = flagValues(['echo'], warpFlags)
  const warp = toSyncedRunOptions('biwarp', values, command)
  assert.equal(warp.sync.back, undefined)
  assert.deepEqual(parse('echo'), { ...warp, sync: { ...warp.sync, back: defaults } })
})

test('each flag of the way back sets its option', () => {
  const rows: [string[], Partial<BackOptions>][] = [
    [['--return=build/**', '--return', '!a,b'], { patterns: ['build/**', '!a,b'] }],
    [['--on-conflict=local'], { onConflict: 'local' }],
    [['--on-conflict', 'remote', '--on-conflict', 'fail'], { onConflict: 'fail' }],
    [['--allow-mass-delete'], { allowMassDelete: true }],
    [['--allow-mass-delete=true', '--allow-mass-delete=false'], {}],
    [['--return-interval=200ms'], { interval: 200 }],
    [['--return-interval=2'], { interval: 2_000 }],
    [['--return-interval', '1m30s'], { interval: 90_000 }],
  ]
  for (const [words, changes] of rows) {
    assert.deepEqual(parse(...words, 'x').sync.back, { ...defaults, ...changes }, words.join(' '))
  }
})

test('the flags of the way up set what they set for warp', () => {
  const rows: [string[], Partial<SyncOptions>][] = [
    [['--dir=..', '--remote-dir=/app'], { dir: '..', remoteDir: '/app' }],
    [['--exclude=*.log', '--include=src/**'], { exclude: ['*.log'], include: ['src/**'] }],
    [['--no-ignore', '--once', '--strict'], { ignore: false, once: true, strict: true }],
    [['--on-sync=make'], { onSync: 'make' }],
  ]
  const { sync } = parse('x')
  for (const [words, changes] of rows) {
    assert.deepEqual(parse(...words, 'x').sync, { ...sync, ...changes }, words.join(' '))
  }
})

test('what is right of the way back passes', () => {
  const lines = [
    ['--return-interval=100ms', 'x'],
    ['--return-interval=0.1', 'x'],
    ['--return-interval=596h', 'x'],
    ['--return=/a', '--return=b', 'x'],
    ['--return=.gitignore', '--return=x.git', 'x'],
    ['--once', '--return-interval=5s', 'x'],
  ]
  for (const words of lines) assert.doesNotThrow(() => validate(parse(...words)), JSON.stringify(words))
})

test('every mistake of the way back is found, named, and worded as all are', () => {
  const mistakes: [string[], RegExp][] = [
    [['--return-interval=99ms', 'x'], /^--return-interval must be 100ms or longer$/],
    [['--return-interval=0', 'x'], /^--return-interval must be 100ms or longer$/],
    [['--return-interval=597h', 'x'], /^--return-interval must be 596h or shorter$/],
    [['--remote-dir=/', 'x'], /must not be the root of the container$/],
    [['--return=.git/**', 'x'], /^--return="\.git\/\*\*" takes nothing back: what is in a \.git never comes$/],
    [['--return=a/.GIT', 'x'], /never comes$/],
  ]
  for (const [words, message] of mistakes) {
    const options = parse(...words)
    assert.throws(() => validate(options), { name: 'UsageError', code: 'usage', message }, JSON.stringify(words))
  }
  const { sync, ...options } = parse('x')
  const notANumber = { ...options, sync: { ...sync, back: { ...defaults, interval: Number.NaN } } }
  assert.throws(() => validate(notANumber), { message: '--return-interval must be 100ms or longer' })
})

test('a value that a flag cannot have is a mistake of that flag', () => {
  const rows: [string, string][] = [
    ['--return=a//b', 'invalid argument "a//b" for "--return" flag: must not have two slashes together'],
    ['--return=', 'invalid argument "" for "--return" flag: must not be empty'],
    [
      '--on-conflict=both',
      'invalid argument "both" for "--on-conflict" flag: must be "keep-both", "local", "remote" or "fail"',
    ],
    ['--return-interval=-1s', 'invalid argument "-1s" for "--return-interval" flag: must not be negative'],
    ['--allow-mass-delete=yes', 'invalid argument "yes" for "--allow-mass-delete" flag: must be true or false'],
  ]
  for (const [word, message] of rows) assert.throws(() => parse(word, 'x'), { name: 'UsageError', message })
})
