import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { KuberunError } from '../../src/errors.ts'
import { pathFault } from '../../src/sync/extract/path-fault.ts'
import { parseScan, scanFunctions } from '../../src/sync/remote/remote-scan.ts'
import { full } from '../support/full.ts'
import { mutate } from '../support/mutations.ts'
import { randomOf } from '../support/random.ts'
import { fillWithTraps } from '../support/traps.ts'
import { temporaryFolder } from '../support/trees.ts'

const duration = full ? 60_000 : 1000
const token = '0123456789abcdef'

test('a mutated listing is refused, or names paths below the root alone', { timeout: duration + 60_000 }, async () => {
  const originals = await listings()
  const counts = { read: 0, refused: 0 }
  const end = performance.now() + duration
  for (let seed = full ? Date.now() : 1; performance.now() < end; seed += 1) {
    const random = randomOf(seed)
    const output = mutate(random.one(originals), random)
    try {
      const { entries, others } = parseScan(output, token)
      for (const path of [...entries.keys(), ...others.keys()]) {
        const names = path.split('/')
        assert.ok(
          names.every((name) => !['', '.', '..'].includes(name)),
          path,
        )
        assert.doesNotMatch(pathFault(path) ?? '', /root|absolute|outside|NUL/)
      }
      counts.read += 1
    } catch (cause) {
      if (!(cause instanceof KuberunError)) throw new Error(`with the seed ${seed}`, { cause })
      counts.refused += 1
    }
  }
  // Otherwise it tried nothing.
  for (const [which, count] of Object.entries(counts)) assert.ok(count > 0, `nothing was ${which}`)
})

/** What GNU's find, and BusyBox's where there is one, say of a folder with every trap in it. */
async function listings(): Promise<Buffer[]> {
  await using tree = await temporaryFolder()
  fillWithTraps(tree.path)
  const shells = [['sh'], ['busybox', 'sh']]
  const outputs = shells.map(([program = '', ...words]) => {
    const script = `${scanFunctions}\n${words.length > 0 ? 'isgnu() { false; }\n' : ''}scan ${token}`
    return spawnSync(program, [...words, '-c', script], { cwd: tree.path, maxBuffer: 1e8 }).stdout
  })
  return outputs.filter((output) => output !== null && output.length > 0)
}
