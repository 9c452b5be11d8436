import assert from 'node:assert/strict'
import { test } from 'node:test'
import { flags } from '../../plugins/flags.ts'
import { toRunOptions } from '../../plugins/run-options.ts'
import { type RunOptions, validate } from '../../src/options.ts'
import { flagValues } from '../support/flag-values.ts'
import { runOptions } from '../support/run-options.ts'

function parse(...words: string[]): RunOptions {
  const { values, command } = flagValues(words, flags)
  return toRunOptions('kuberun', values, command)
}

test('without flags, a run is as the help says', () => {
  assert.deepEqual(parse('echo'), runOptions(['echo']))
})

test('repeated lists are merged, and an empty text is none, as scripts pass empty variables', () => {
  const { pod, cluster } = parse('-l', 'a=1,b=2', '-l', 'b=3', '--context=', '-n', '', '--serviceaccount=', 'x')
  assert.deepEqual(pod.labels, { a: '1', b: '3' })
  assert.deepEqual(cluster, { asGroup: [], requestTimeout: 60_000 })
  assert.equal('serviceAccount' in pod, false)
})

test('a request to the API server has a limit that can be lifted', () => {
  assert.equal(parse('--request-timeout=0', 'x').cluster.requestTimeout, 0)
})

test('what is right passes', () => {
  const lines = [
    ['echo', ''],
    ['--shell=always', ''],
    ['--limits=memory=20Mi,cpu=1', '--requests=memory=20971520,cpu=1000m', 'x'],
    ['--limits=nvidia.com/gpu=1', 'x'],
    // The kubeconfig may say as whom.
    ['--as-group=a', 'x'],
    ['-l', 'a.b/c-d_e=', '-l', 'X=y.z_1', 'x'],
    ['--annotations', 'Note.io/a=anything, at = all\n', 'x'],
    ['--env', 'a b.c-d=é\n', 'x'],
    ['--overrides', '{"spec":{}}', 'x'],
    ['--overrides', '[]', '--override-type=json', 'x'],
    ['--timeout=0', '--grace-period=0', 'x'],
    ['--deadline=1s', '--orphan-timeout=5s', 'x'],
    ['--as=a', '--as-group=b', '--as-group=system:masters', 'x'],
    ['--toleration=key', '--node-selector=a=b', 'x'],
  ]
  for (const words of lines) assert.doesNotThrow(() => validate(parse(...words)), JSON.stringify(words))
})

const mistakes: [string[], RegExp][] = [
  [[], /^no command given$/],
  [[''], /^the command is an empty word$/],
  [['a\0b'], /NUL byte/],
  [['--env', 'A=\0', 'x'], /^the environment variable "A" must not hold a NUL byte$/],
  [['--env', 'é=1', 'x'], /^invalid environment variable name "é"/],
  [['--image=', 'x'], /^invalid image "": must not be empty$/],
  [['--image=a b', 'x'], /^invalid image "a b": must not hold white space$/],
  [['--image=a\u0007', 'x'], /control characters/],
  [['--tools-image=', 'x'], /^invalid tools image/],
  [['-n', 'Dev', 'x'], /^invalid namespace "Dev": must be lower-case/],
  [['-n', 'a'.repeat(64), 'x'], /no more than 63/],
  [['-w', 'tmp', 'x'], /^invalid workdir "tmp": must be an absolute path in the container$/],
  [['-l', 'a b=c', 'x'], /^invalid label key "a b"/],
  [['-l', 'a=-', 'x'], /^invalid value for label "a" "-"/],
  [['-l', 'a/b/c=d', 'x'], /^invalid label key/],
  [['-l', 'A/b=d', 'x'], /^invalid label key "A\/b": the part before the slash/],
  [['-l', 'kuberun/run=1', 'x'], /^the label "kuberun\/run" is kuberun's own$/],
  [['-l', 'app.kubernetes.io/managed-by=me', 'x'], /is kuberun's own$/],
  [['--annotations=kuberun/command=1', 'x'], /^the annotation "kuberun\/command" is kuberun's own$/],
  [['--annotations', `a=${'x'.repeat(262_144)}`, 'x'], /annotations take 262145 bytes/],
  [['--limits=memory=20MB', 'x'], /^invalid limit "memory=20MB": must be an amount/],
  [['--limits=mem=20Mi', 'x'], /^invalid resource name for a limit "mem": must be cpu, memory/],
  [['--requests=cpu=-1', 'x'], /must not be negative$/],
  [['--limits=memory=10Mi', '--requests=memory=10.5M', 'x'], /^the request "memory=10.5M" is above the limit/],
  [['--serviceaccount=A', 'x'], /^invalid service account "A"/],
  [['--node-selector=a=b c', 'x'], /^invalid value for node selector "a" "b c"/],
  [['--toleration=a b', 'x'], /^invalid toleration key "a b"/],
  [['--toleration=a=b c', 'x'], /^invalid toleration value "b c"/],
  [['--overrides={', 'x'], /^invalid overrides: no JSON/],
  [['--overrides=[]', 'x'], /^invalid overrides: want a JSON object, got a list$/],
  [
    ['--overrides={}', '--override-type=json', 'x'],
    /^invalid overrides: want a JSON list of operations, got an object$/,
  ],
  [['--overrides=[{"op":"put"}]', '--override-type=json', 'x'], /operation 1 has the op "put"$/],
  [['--pod-running-timeout=0', 'x'], /^--pod-running-timeout must be higher than zero$/],
  [['--orphan-timeout=4s', 'x'], /^--orphan-timeout must be 5s or longer$/],
  [['--deadline=0', 'x'], /^--deadline must be 1s or longer$/],
  [['--timeout=597h', 'x'], /^--timeout must be from 0 to 596h$/],
]

test('every mistake is found, named, and worded as all are', () => {
  for (const [words, message] of mistakes) {
    const options = parse(...words)
    assert.throws(() => validate(options), { name: 'UsageError', code: 'usage', message }, JSON.stringify(words))
    assert.throws(() => validate(options), { message: /^[^A-Z].*[^.]$/s }, JSON.stringify(words))
  }
})
