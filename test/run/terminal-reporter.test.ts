import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { TerminalReporter } from '../../src/run/terminal-reporter.ts'
import { until } from '../support/events.ts'
import { collector } from '../support/scripted-run.ts'

const clearLine = '\r\x1b[K'

/** A reporter to a stream that may be a terminal. */
function setUp({ isTTY = false, quiet = false, verbosity = 0 } = {}) {
  const stderr = Object.assign(collector(), { isTTY, columns: 60 })
  const reporter = new TerminalReporter(stderr as unknown as NodeJS.WriteStream, { program: 'warp', quiet, verbosity })
  return { reporter, text: () => stderr.data().toString() }
}

suite('the reporter', { concurrency: true }, () => {
  test('says nothing of a run that goes well', () => {
    const { reporter, text } = setUp({ isTTY: true })
    reporter.waiting('a node')
    reporter.phase('pod made')
    reporter.running()
    reporter[Symbol.dispose]()
    assert.equal(text(), '')
  })

  test('tells a warning once, and nothing that a terminal would obey', () => {
    const { reporter, text } = setUp()
    reporter.warning('a \x1b[31mred\x1b[0m one')
    reporter.warning('a \x1b[31mred\x1b[0m one')
    reporter.note('kept')
    reporter[Symbol.dispose]()
    assert.equal(text(), 'warning: a \\x1b[31mred\\x1b[0m one\nwarp: kept\n')
  })

  test('with -v tells the time of each phase at the end', () => {
    const { reporter, text } = setUp({ verbosity: 1 })
    reporter.phase('pod made')
    reporter.phase('command started')
    reporter[Symbol.dispose]()
    assert.match(text(), /^warp: pod made \d+ ms, command started \d+ ms, in all \d+ ms\n$/)
  })

  for (const [name, setting] of [
    ['is no terminal', {}],
    ['is to be quiet', { isTTY: true, quiet: true }],
  ] as const) {
    test(`shows no status line where it ${name}`, async () => {
      const { reporter, text } = setUp(setting)
      reporter.waiting('a node')
      await new Promise((resolve) => setTimeout(resolve, 1_200))
      reporter[Symbol.dispose]()
      assert.equal(text(), '')
    })
  }

  test('shows what is still to be done after the command, until that is done', async () => {
    const { reporter, text } = setUp({ isTTY: true })
    reporter.running()
    reporter.busy('bringing back')
    await until(() => text() !== '')
    reporter.running()
    assert.deepEqual(text().replace(/\d+/, 'N').split(clearLine), ['', 'warp: bringing back (N s)', ''])
  })

  test('shows nothing while somebody is asked, and goes on then', async () => {
    const { reporter, text } = setUp({ isTTY: true })
    reporter.waiting('a node')
    {
      using _hush = reporter.hush()
      await new Promise((resolve) => setTimeout(resolve, 1_200))
      assert.equal(text(), '')
    }
    await until(() => text().includes('a node'))
    reporter[Symbol.dispose]()
  })

  test('shows on a terminal what is waited for, on one line, gone when the command starts', async () => {
    const { reporter, text } = setUp({ isTTY: true })
    reporter.waiting('a node\nand \x07 more, which is a longer story than a line can hold')
    await until(() => text() !== '')
    const [, line = ''] = text().split(clearLine)
    assert.match(line, /^warp: a node and \\x07 more, [^\n]*$/)
    assert.ok(line.length < 60)
    reporter.running()
    assert.ok(text().endsWith(clearLine))
    reporter[Symbol.dispose]()
  })
})
