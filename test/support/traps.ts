import { chmodSync, linkSync, lutimesSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { bytesOf } from './trees.ts'

/** Names that some tar, shell or program takes amiss; a character is a byte. */
const names = [
  'new\nline',
  'tab\tcarriage\r',
  'quotes \'"`$(x)',
  'stars*[a]?',
  'back\\slash\\n',
  '-rf',
  '--checkpoint-action=exec=sh x',
  'trailing space ',
  ' leading space',
  '...',
  '.hidden',
  '~',
  'a:b',
  'C:\\x',
  '\xc3\xa4\xc3\xb6\xc3\xbc',
  '\x61\xcc\x88',
  '\xf0\x9f\x98\x80',
  '\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d',
  '\xff\xfe not UTF-8',
  '\xef\xbf\xbd',
  '\x01\x1b[31m',
  'n'.repeat(99),
  'n'.repeat(100),
  'n'.repeat(101),
  'n'.repeat(155),
  'n'.repeat(255),
  '\xc3\xa4'.repeat(127),
]

const sizes = [0, 1, 511, 512, 513, 65_536, 65_537, 256 * 1024 - 512, 256 * 1024, 256 * 1024 + 1, 1_000_003]
const modes = [0o400, 0o444, 0o600, 0o644, 0o664, 0o755, 0o777]
/** Seconds: 1969, 1970, 2001, the ends of 31 bits and of 33. */
const times = [-1.5, 0, 1_000_000_000.9, 2_147_483_647, 2_208_988_800, 8_589_934_592]
const targets = ['there', 'new\nline', '\xc3\xa4', '\xff', 't'.repeat(99)]
const longTargets = ['t'.repeat(100), 't'.repeat(101), '\xc3\xa4'.repeat(200), 't/'.repeat(1000)]

/** Fills a folder with all that may go wrong in an archive. */
export function fillWithTraps(root: string): void {
  const at = (path: string): Buffer => Buffer.concat([Buffer.from(`${root}/`), bytesOf(path)])
  const write = (path: string, size = 10): void => writeFileSync(at(path), contentOf(path, size))

  mkdirSync(at('names'))
  for (const name of names) {
    write(`names/${name}`)
    mkdirSync(at(`names/in ${name}`.slice(0, 255 + 6)))
    write(`${`names/in ${name}`.slice(0, 255 + 6)}/file`)
    write(name)
  }
  mkdirSync(at('sizes'))
  for (const size of sizes) write(`sizes/${size}`, size)
  mkdirSync(at('links'))
  for (const [n, target] of [...targets, ...longTargets].entries()) symlinkSync(bytesOf(target), at(`links/${n}`))
  symlinkSync('itself', at('links/itself'))
  symlinkSync('0', at('links/to a link'))
  symlinkSync(bytesOf('\xff'.repeat(120)), at(`links/${'\xfe'.repeat(120)}`))
  write('hard')
  linkSync(at('hard'), at('link to hard'))
  const deep = `${'d'.repeat(200)}/`.repeat(15)
  mkdirSync(at(deep), { recursive: true })
  write(`${deep}file`)
  mkdirSync(at('empty/empty'), { recursive: true })

  mkdirSync(at('modes'))
  for (const mode of modes) {
    write(`modes/${mode}`)
    chmodSync(at(`modes/${mode}`), mode)
  }
  for (const mode of [0o700, 0o755, 0o775, 0o777, 0o1777]) {
    mkdirSync(at(`modes/folder ${mode}`))
    write(`modes/folder ${mode}/file`)
    chmodSync(at(`modes/folder ${mode}`), mode)
  }
  mkdirSync(at('times'))
  for (const [n, seconds] of times.entries()) {
    // A number below 0 would stand for now.
    const time = new Date(seconds * 1000)
    write(`times/${n}`)
    symlinkSync('there', at(`times/link ${n}`))
    mkdirSync(at(`times/folder ${n}/inner`), { recursive: true })
    write(`times/folder ${n}/inner/file`)
    for (const path of [`${n}`, `folder ${n}/inner`, `folder ${n}`]) utimesSync(at(`times/${path}`), time, time)
    lutimesSync(at(`times/link ${n}`), time, time)
  }
}

/**
 * Links that lead out of their folder. Both tars make them when all else is done, lest something is written through
 * them; so the mtime of the folder they are in is then.
 */
export function linkOutside(root: string): void {
  symlinkSync('../outside', `${root}/up`)
  symlinkSync('/absolute', `${root}/absolute`)
}

/** A folder that its owner may not write to, with a file in it: only GNU tar, and root, can set its mode. */
export function closeFolder(root: string): void {
  mkdirSync(`${root}/closed`)
  writeFileSync(`${root}/closed/file`, 'x')
  chmodSync(`${root}/closed`, 0o555)
  utimesSync(`${root}/closed`, 1_000_000_000, 1_000_000_000)
}

/** Bytes that differ from one file to another, and have no period that a block has. */
export function contentOf(name: string, size: number): Buffer {
  const seed = Buffer.from(name).reduce((sum, byte) => sum + byte, 0)
  const period = Buffer.from(Array.from({ length: 251 }, (_, n) => (n * 7 + seed) % 256))
  return Buffer.alloc(size, period)
}
