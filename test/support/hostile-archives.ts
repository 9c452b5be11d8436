import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  linkSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import type { ArchiveFault } from '../../src/sync/tar/archive-error.ts'
import type { ExtractOptions, Want } from './extract.ts'
import { archive, binary, end, file, folder, hardLink, header, link, long, pax, paxText, ustar } from './tar-parts.ts'

/** A local root and what lies beside it, which nothing may touch. */
export interface World {
  root: string
  outside: string
}

/** An archive that a pod should not have sent. */
export interface Hostile {
  title: string
  archive: (world: World) => Buffer | AsyncIterable<Buffer>
  /** The paths that are reported, with a word of the reason. */
  refused?: [path: string, reason: RegExp][]
  /** What the extraction ends with. */
  fault?: ArchiveFault
  /** The paths of the archive that are put; where it is not given, any. */
  put?: string[]
  before?: (world: World) => void
  wants?: (world: World) => (path: string) => Want
  options?: Partial<ExtractOptions>
  /** It is nothing to root. */
  only?: 'not root'
  /** What was staged in a folder that is not there any more stays in it, for the next start to sweep. */
  leaves?: true
}

/** Fills a world: a root with files, folders and links, and an outside that remembers whether it was touched. */
export function makeWorld({ root, outside }: World): void {
  mkdirSync(join(outside, 'sub'), { recursive: true })
  writeFileSync(join(outside, 'secret'), 'secret')
  writeFileSync(join(outside, 'sub/secret'), 'secret')
  mkdirSync(join(root, 'dir'), { recursive: true })
  writeFileSync(join(root, 'kept'), 'kept')
  writeFileSync(join(root, 'dir/kept'), 'kept')
  symlinkSync('../outside', join(root, 'link-out'))
  symlinkSync(outside, join(root, 'link-absolute'))
  symlinkSync('../outside/secret', join(root, 'link-file'))
  symlinkSync('../outside/new', join(root, 'link-nowhere'))
  symlinkSync('dir', join(root, 'link-in'))
  symlinkSync('..', join(root, 'dir/link-up'))
  for (const path of ['secret', 'sub/secret', 'sub', '.']) utimesSync(join(outside, path), 1_000_000_000, 1_000_000_000)
}

/** An archive of one entry that is refused, and of one after it that is put. */
function one(title: string, part: Buffer | ((world: World) => Buffer), path: string, reason: RegExp): Hostile {
  return {
    title,
    archive: (world) => archive(typeof part === 'function' ? part(world) : part, file('after')),
    refused: [[path, reason]],
    put: ['after'],
  }
}

/** An archive that cannot be read; what came before stays. */
function broken(title: string, fault: ArchiveFault, ...parts: Buffer[]): Hostile {
  return { title, archive: () => Buffer.concat([file('before'), ...parts, end]), fault, put: ['before'] }
}

async function* endless(piece: Buffer): AsyncGenerator<Buffer> {
  for (;;) yield piece
}

const escape = /part "\.\."/
const absolute = /absolute/
const through = /goes through a link/
const git = /git's/

/** With the root before it even the folder's path is one that no program can say. */
const tooLong = `${`${'a'.repeat(250)}/`.repeat(16)}${'b'.repeat(70)}/c`

const paths: Hostile[] = [
  one('.. as a path', file('..'), '..', escape),
  one('.. before a name', file('../outside/evil'), '../outside/evil', escape),
  one('.. in the middle', file('dir/../../outside/evil'), 'dir/../../outside/evil', escape),
  one('.. that stays inside', file('dir/../evil'), 'dir/../evil', escape),
  one('.. at the end of a folder', folder('dir/../'), 'dir/..', escape),
  one('.. as a folder', folder('../'), '..', escape),
  one('.. as a link', link('../evil', 'there'), '../evil', escape),
  one('.. in a long name of GNU', Buffer.concat([long('L', '../outside/evil'), file('x')]), '../outside/evil', escape),
  one('.. in an extended header', Buffer.concat([pax({ path: '../evil' }), file('x')]), '../evil', escape),
  one(
    '.. in the prefix of ustar',
    file('evil', 'x', { prefix: '../outside', magic: ustar }),
    '../outside/evil',
    escape,
  ),
  {
    title: '.. in a global header',
    archive: () => archive(pax({ path: '../evil' }, 'g'), file('a'), file('b')),
    refused: [
      ['../evil', escape],
      ['../evil', escape],
    ],
    put: [],
  },
  one('an absolute path', ({ outside }) => file(`${outside}/evil`), 'ABSOLUTE', absolute),
  one(
    'an absolute path of a long name',
    ({ outside }) => Buffer.concat([long('L', `${outside}/evil`), file('x')]),
    'ABSOLUTE',
    absolute,
  ),
  one(
    'an absolute path of an extended header',
    ({ outside }) => Buffer.concat([pax({ path: `${outside}/evil` }), file('x')]),
    'ABSOLUTE',
    absolute,
  ),
  one('an absolute path with two slashes', file('//evil'), '//evil', absolute),
  one('the root of all', folder('/'), '', /root itself/),
  one('the root of all as a link', link('/', 'there'), '/', absolute),
  one('an empty path', header({ name: '' }), '', /root itself/),
  one('the root as a dot', folder('./'), '.', /part "\."/),
  one('the root as a file', file('.'), '.', /part "\."/),
  one('the root as a link', link('.', '../outside'), '.', /part "\."/),
  one('a dot in the middle', file('dir/./evil'), 'dir/./evil', /part "\."/),
  one('two slashes', file('dir//evil'), 'dir//evil', /empty part/),
  one('two slashes at the end', folder('evil//'), 'evil/', /empty part/),
  one('a slash at the end of a link', link('evil/', '../outside'), 'evil/', /empty part/),
  one('a slash at the end of a hard link', hardLink('evil/', 'kept'), 'evil/', /empty part/),
  one(
    'a NUL in an extended header',
    Buffer.concat([pax({ path: 'kept\0../evil' }), file('x')]),
    'kept\0../evil',
    /NUL/,
  ),
  one('a NUL in a long name', Buffer.concat([long('L', 'dir/\0/evil'), file('x')]), 'dir/\0/evil', /NUL/),
  one('a name of 256 bytes', Buffer.concat([long('L', 'n'.repeat(256)), file('x')]), 'n'.repeat(256), /too long/),
  one(
    'a name of 255 characters and more bytes',
    Buffer.concat([long('L', '\xc3\xa4'.repeat(128)), file('x')]),
    'ä'.repeat(128),
    /too long/,
  ),
  one(
    'a folder with too long a name',
    Buffer.concat([long('L', `${'n'.repeat(300)}/x`), file('x')]),
    `${'n'.repeat(300)}/x`,
    /too long/,
  ),
  {
    title: 'a path of as many folders as there may be',
    archive: () => archive(long('L', `${'a/'.repeat(255)}b`), file('x')),
    refused: [],
    put: [`${'a/'.repeat(255)}b`],
  },
  one(
    'a path of more folders',
    Buffer.concat([long('L', `${'a/'.repeat(256)}b`), file('x')]),
    `${'a/'.repeat(256)}b`,
    /more than 256 parts/,
  ),
  one(
    'a path that is too long below the root',
    Buffer.concat([long('L', tooLong), file('x')]),
    tooLong,
    /too long here/,
  ),
  broken('a path that is longer', 'limit', long('L', `${'a/'.repeat(2048)}b`), file('x')),
]

const names: Hostile[] = [
  one('a name that we stage under', file('.kuberun-sync-x-0'), '.kuberun-sync-x-0', /while they are written/),
  one(
    'a folder that we stage under',
    file('dir/.kuberun-sync-x/evil'),
    'dir/.kuberun-sync-x/evil',
    /while they are written/,
  ),
  one(
    'a link where we stage next',
    link('.kuberun-sync-test-5', '../outside/evil'),
    '.kuberun-sync-test-5',
    /while they are written/,
  ),
  one("a hook of git's", file('.git/hooks/post-checkout'), '.git/hooks/post-checkout', git),
  one("git's folder", folder('.git/'), '.git', git),
  one("git's folder as a file", file('.git', 'gitdir: evil'), '.git', git),
  one("git's folder as a link", link('.git', '../outside'), '.git', git),
  one("git's folder of a module", file('dir/.git/config'), 'dir/.git/config', git),
  one("git's folder in capitals", file('.GIT/config'), '.GIT/config', git),
  one("git's folder with what HFS+ leaves out", file('.g\xe2\x80\x8cit/config'), '.g\u200cit/config', git),
  one("git's folder with what NTFS leaves out", file('.git. ./config'), '.git. ./config', git),
  one(
    "git's folder with a stream of NTFS",
    file('.git::$INDEX_ALLOCATION/config'),
    '.git::$INDEX_ALLOCATION/config',
    git,
  ),
  one("git's folder by its short name", file('GIT~1/config'), 'GIT~1/config', git),
  {
    title: 'control characters and escape sequences in names',
    archive: () => archive(file('\x1b[2J\x1b]0;evil\x07'), file('\rkept\x08'), hardLink('\x9b31m', '\x1b[31m')),
    refused: [['\udc9b31m', /^it is a hard link to "\\x1b\[31m", which/]],
    put: ['\x1b[2J\x1b]0;evil\x07', '\rkept\x08'],
  },
  {
    title: 'names that only other systems take for paths',
    archive: () => archive(file('C:\\evil'), file('..\\evil'), file('\\\\?\\evil'), file('C:evil')),
    refused: [],
    put: ['C:\\evil', '..\\evil', '\\\\?\\evil', 'C:evil'],
  },
  {
    title: 'two spellings of a name where they are one',
    archive: () => archive(file('name'), file('NAME'), file('n\xc3\xa4me'), file('na\xcc\x88me')),
    refused: [
      ['NAME', /"name" is the same name here/],
      ['na\u0308me', /"näme" is the same name here/],
    ],
    put: ['name', 'näme'],
    options: { foldsNames: true },
  },
  {
    title: 'another spelling of what is there',
    archive: () => archive(file('KEPT'), file('Dir/kept'), link('KEPT', 'there'), folder('DIR/')),
    refused: [
      ['KEPT', /"kept" is the same/],
      ['Dir/kept', /"dir" is the same/],
      ['KEPT', /twice/],
      ['DIR', /"dir" is the same/],
    ],
    put: [],
    options: { foldsNames: true },
  },
  {
    title: 'a link, and another spelling of it as a folder',
    archive: () => archive(link('out', '../outside'), file('OUT/evil')),
    refused: [['OUT/evil', /"out" is the same/]],
    options: { foldsNames: true },
  },
]

const links: Hostile[] = [
  one('a file through a link that is here', file('link-out/evil'), 'link-out/evil', through),
  one('a file over one through a link that is here', file('link-out/secret'), 'link-out/secret', through),
  one('a file through an absolute link that is here', file('link-absolute/evil'), 'link-absolute/evil', through),
  one('a file through a link that stays inside', file('link-in/kept'), 'link-in/kept', through),
  one('a file through a link upwards', file('dir/link-up/evil'), 'dir/link-up/evil', through),
  one('a file deep through a link', file('link-out/sub/secret'), 'link-out/sub/secret', through),
  one('a folder through a link', folder('link-out/evil/'), 'link-out/evil', through),
  one('a link through a link', link('link-out/evil', 'there'), 'link-out/evil', through),
  one(
    'a folder over a link, to set the mode of what it leads to',
    folder('link-out/', { mode: '0000777' }),
    'link-out',
    /link in its place/,
  ),
  {
    title: 'a link, and a file through it',
    archive: () => archive(link('evil', '../outside'), file('evil/secret'), file('evil/new')),
    refused: [
      ['evil/secret', through],
      ['evil/new', through],
    ],
    put: ['evil'],
  },
  {
    title: 'an absolute link, and a file through it',
    archive: ({ outside }) => archive(link('evil', outside), file('evil/secret')),
    refused: [['evil/secret', through]],
  },
  {
    title: 'a chain of links, and a file through it',
    archive: () => archive(link('a', '..'), link('b', 'a/outside'), file('b/secret'), file('a/outside/secret')),
    refused: [
      ['b/secret', through],
      ['a/outside/secret', through],
    ],
    put: ['a', 'b'],
  },
  {
    title: 'a link in a folder, and a link through it',
    archive: () => archive(folder('x/'), link('x/up', '../..'), link('x/up/outside/evil', 'there')),
    refused: [['x/up/outside/evil', through]],
  },
  {
    title: 'links in a circle, and a file through them',
    archive: () => archive(link('a', 'b'), link('b', 'a'), file('a/evil')),
    refused: [['a/evil', through]],
  },
  {
    title: 'a link to a file, and that file',
    archive: () => archive(link('evil', '../outside/secret'), file('evil', 'evil')),
    refused: [['evil', /twice/]],
    put: ['evil'],
  },
  {
    title: 'a file over a link to one, which is replaced',
    archive: () => archive(file('link-file', 'evil'), file('link-nowhere', 'evil')),
    refused: [],
    put: ['link-file', 'link-nowhere'],
  },
  {
    title: 'a link, and a folder of the same path',
    archive: () => archive(link('evil', '../outside'), folder('evil/', { mode: '0000777' }), file('evil/new')),
    refused: [
      ['evil', /link in its place/],
      ['evil/new', through],
    ],
  },
  {
    title: 'a folder, and a link of the same path',
    archive: () => archive(folder('evil/'), link('evil', '../outside'), file('evil/new')),
    refused: [['evil', /folder in its place/]],
    put: ['evil', 'evil/new'],
  },
  one('a link to nothing', link('evil', ''), 'evil', /link to nothing/),
  one('a link with a NUL in it', Buffer.concat([pax({ linkpath: 'a\0b' }), link('evil', 'x')]), 'evil', /NUL/),
  {
    title: 'a target in an extended header, and a file through it',
    archive: () => archive(pax({ linkpath: '../outside' }), link('evil', 'dir'), file('evil/secret')),
    refused: [['evil/secret', through]],
  },
  broken('a link with an endless target', 'limit', long('K', 't'.repeat(5000)), link('evil', 'x')),
]

const noOriginal = /which is no file that was extracted/
const hardLinks: Hostile[] = [
  one('a hard link out', hardLink('evil', '../outside/secret'), 'evil', noOriginal),
  one('a hard link to an absolute path', ({ outside }) => hardLink('evil', `${outside}/secret`), 'evil', noOriginal),
  one('a hard link to what the archive did not bring', hardLink('evil', 'kept'), 'evil', noOriginal),
  one('a hard link to itself', hardLink('evil', 'evil'), 'evil', noOriginal),
  one('a hard link through a link', hardLink('evil', 'link-out/secret'), 'evil', noOriginal),
  one(
    'a hard link in an extended header',
    Buffer.concat([pax({ linkpath: '../outside/secret' }), hardLink('evil', 'kept')]),
    'evil',
    noOriginal,
  ),
  one('a hard link to a folder', hardLink('evil', 'dir'), 'evil', noOriginal),
  {
    title: 'a hard link to a link of the archive',
    archive: () => archive(link('a', '../outside/secret'), hardLink('evil', 'a')),
    refused: [['evil', noOriginal]],
  },
  {
    title: 'a hard link to a file that has become a link',
    archive: () => archive(file('a', 'secret'), hardLink('evil', 'a')),
    wants:
      ({ root, outside }) =>
      (path) => {
        if (path === 'evil') {
          unlinkSync(join(root, 'a'))
          symlinkSync(join(outside, 'secret'), join(root, 'a'))
        }
        return 'put'
      },
    refused: [['evil', /through a link/]],
    put: ['a'],
  },
  {
    title: 'a hard link to a file that has become another',
    archive: () => archive(file('a', 'secret'), hardLink('evil', 'a')),
    wants:
      ({ root, outside }) =>
      (path) => {
        if (path === 'evil') {
          unlinkSync(join(root, 'a'))
          linkSync(join(outside, 'sub/secret'), join(root, 'a'))
          unlinkSync(join(root, 'a'))
          writeFileSync(join(root, 'a'), 'secret')
        }
        return 'put'
      },
    refused: [['evil', /has changed here/]],
  },
  {
    title: 'many hard links to one large file',
    archive: () =>
      archive(file('a', 'x'.repeat(50_000)), ...Array.from({ length: 99 }, (_, n) => hardLink(`b${n}`, 'a'))),
    options: { limits: { bytes: 500_000 } },
    fault: 'limit',
  },
]

const types: Hostile[] = [
  one('a character device', header({ name: 'evil', flag: '3' }), 'evil', /is a character device/),
  one('a block device', header({ name: 'evil', flag: '4' }), 'evil', /is a block device/),
  one('a FIFO', header({ name: 'evil', flag: '6' }), 'evil', /is a FIFO/),
  broken('a socket, which no tar has', 'unsupported', header({ name: 'evil', flag: 's' })),
  broken('a sparse file', 'unsupported', header({ name: 'evil', flag: 'S' })),
  {
    title: 'setuid, setgid and all that',
    archive: () => archive(file('suid', 'x', { mode: '0006755' }), file('sgid', 'x', { mode: '0002755' })),
    refused: [
      ['suid', /without its setuid/],
      ['sgid', /without its setuid/],
    ],
    put: ['suid', 'sgid'],
  },
  {
    title: 'a folder with setuid and setgid',
    archive: () => archive(folder('d/', { mode: '0006755' })),
    refused: [],
    put: ['d'],
  },
  {
    title: 'a mode of all bits',
    archive: () => archive(file('a', 'x', { mode: '7777777' })),
    refused: [['a', /without its setuid/]],
  },
  {
    title: 'one path as all types',
    archive: () =>
      archive(file('a', '1'), link('a', '..'), hardLink('a', 'a'), folder('a/'), header({ name: 'a', flag: '6' })),
    refused: [
      ['a', /twice/],
      ['a', /twice/],
      ['a', /file in its place/],
      ['a', /FIFO/],
    ],
    put: ['a'],
  },
  one('a file over a folder', file('dir'), 'dir', /folder in its place/),
  one('a link over a folder', link('dir', '../outside'), 'dir', /folder in its place/),
  one('a hard link over a folder', Buffer.concat([file('x'), hardLink('dir', 'x')]), 'dir', /folder in its place/),
  one('a folder over a file', folder('kept/'), 'kept', /file in its place/),
  one('a file in a file', file('kept/evil'), 'kept/evil', /goes through a file/),
  broken('a file over a folder that ends with a slash', 'damaged', file('kept/')),
]

const damage: Hostile[] = [
  broken('a wrong checksum', 'damaged', file('a', 'x', { checksum: '000000\0 ' })),
  broken('noise', 'damaged', Buffer.alloc(5120, 'noise')),
  broken('a size below nothing', 'damaged', header({ size: binary(-512n) })),
  broken('a size of base-256 beyond all', 'damaged', header({ size: binary(1n << 70n) })),
  broken('a size that no disk has', 'limit', header({ size: binary(1n << 52n) })),
  broken('a size that is no number', 'damaged', header({ size: '99999999999z'.slice(0, 12) })),
  broken('an extended size that is another', 'damaged', pax({ size: '1' }), file('a', 'x'.repeat(1000))),
  broken('an extended size below nothing', 'damaged', pax({ size: '-1' }), header()),
  broken('an extended size that is huge', 'damaged', pax({ size: '99999999999999999999' }), header()),
  broken('an extended size that no disk has', 'limit', pax({ size: '9007199254740991' }), header()),
  broken('an extended size that is none', 'damaged', pax({ size: 'NaN' }), header()),
  broken('an extended time that is none', 'damaged', pax({ mtime: 'Infinity' }), header()),
  broken('an extended header of rubbish', 'damaged', paxText('rubbish'), header()),
  broken('a link with a content that looks like a header', 'damaged', link('a', 'b', { size: 512 }), file('../evil')),
  broken('a header in a folder that looks like content', 'damaged', folder('a/', { size: 512 }), file('../evil')),
  broken('an extended header that is too large', 'limit', file('x', Buffer.alloc(1_000_000, 'x'), { flag: 'x' })),
  broken('a long name that is too large', 'limit', file('x', Buffer.alloc(1_000_000, 'x'), { flag: 'L' })),
  broken('a second archive after the end', 'damaged', end, file('../evil')),
  broken('a hole in the end', 'damaged', Buffer.alloc(512), file('../evil')),
  broken('a header that extends nothing', 'damaged', long('L', '../evil')),
  ...[0, 1, 511, 512, 513, 700, 1024, 1025, 1535, 1536].map(
    (length): Hostile => ({
      title: `cut after ${length} bytes`,
      archive: () => Buffer.concat([file('a', 'x'.repeat(600)), end]).subarray(0, length),
      fault: 'cut',
      put: length < 1536 ? (length < 512 + 600 ? [] : ['a']) : ['a'],
    }),
  ),
  {
    title: 'cut between the blocks of its end',
    archive: () => archive(file('a')).subarray(0, -512),
    fault: 'cut',
    put: ['a'],
  },
  { title: 'nothing at all', archive: () => Buffer.alloc(0), fault: 'cut', put: [] },
]

const floods: Hostile[] = [
  {
    title: 'endless files',
    archive: () => endless(file('a', 'x')),
    options: { limits: { entries: 500 } },
    fault: 'limit',
  },
  {
    title: 'endless global headers',
    archive: () => endless(pax({ mtime: '1' }, 'g')),
    options: { limits: { entries: 5000 } },
    fault: 'limit',
  },
  { title: 'endless extended headers', archive: () => endless(pax({ path: 'a' })), fault: 'damaged' },
  { title: 'endless long names', archive: () => endless(long('L', 'a')), fault: 'damaged' },
  { title: 'endless refusals', archive: () => endless(file('../a', '')), fault: 'limit' },
  {
    title: 'one endless file',
    archive: async function* () {
      yield header({ size: binary(1n << 33n) })
      yield* endless(Buffer.alloc(65_536))
    },
    options: { limits: { bytes: 5_000_000 } },
    fault: 'limit',
    put: [],
  },
  {
    title: 'an endless end',
    archive: async function* () {
      yield archive(file('a'))
      yield* endless(Buffer.alloc(65_536))
    },
    fault: 'limit',
    put: ['a'],
  },
  {
    title: 'a file that is larger than was agreed',
    archive: () => archive(file('a', 'x'.repeat(2000))),
    options: { limits: { fileBytes: 1999 } },
    fault: 'limit',
    put: [],
  },
  {
    title: 'long names without end',
    archive: () => endless(Buffer.concat([long('L', 'n/'.repeat(2000)), file('x', '')])),
    options: { limits: { nameBytes: 100_000 }, wants: () => 'skip' },
    fault: 'limit',
  },
]

/** Moves a folder away and puts a link to the outside in its place. */
function swap({ root }: World, path: string): void {
  renameSync(join(root, path), join(root, `${path}-away`))
  symlinkSync('../outside', join(root, path))
}

const races: Hostile[] = [
  {
    title: 'a folder that becomes a link before a file is written in it',
    archive: () => archive(file('dir/secret')),
    wants: (world) => () => {
      swap(world, 'dir')
      return 'put'
    },
    refused: [['dir/secret', through]],
  },
  {
    title: 'a folder that becomes a link between two files',
    archive: () => archive(file('dir/a'), file('dir/secret')),
    wants: (world) => (path) => {
      if (path === 'dir/secret') swap(world, 'dir')
      return 'put'
    },
    refused: [['dir/secret', through]],
    put: ['dir/a'],
    leaves: true,
  },
  {
    title: 'a folder above that becomes a link',
    archive: () => archive(file('dir/sub/a'), file('dir/sub/secret')),
    wants: (world) => (path) => {
      if (path === 'dir/sub/secret') swap(world, 'dir')
      return 'put'
    },
    refused: [['dir/sub/secret', through]],
    put: ['dir/sub/a'],
    leaves: true,
  },
  {
    title: 'a folder that becomes a link while a file is written in it',
    archive: (world) => slowly(file('dir/secret', 'x'.repeat(5000)), () => swap(world, 'dir')),
    refused: [['dir/secret', through]],
    put: [],
    leaves: true,
  },
  {
    title: 'a folder that is moved out while a file is written in it',
    archive: (world) =>
      slowly(file('dir/secret', 'x'.repeat(5000)), () => renameSync(join(world.root, 'dir'), join(world.root, 'away'))),
    refused: [['dir/secret', /folder is gone/]],
    put: [],
    leaves: true,
  },
  {
    title: 'a folder that becomes another while a file is written in it',
    archive: (world) =>
      slowly(file('dir/secret', 'x'.repeat(5000)), () => {
        renameSync(join(world.root, 'dir'), join(world.root, 'away'))
        mkdirSync(join(world.root, 'dir'))
      }),
    refused: [['dir/secret', /folder is gone/]],
    put: [],
    leaves: true,
  },
  {
    title: 'a folder that is removed while a file is written in it',
    archive: (world) =>
      slowly(file('dir/secret', 'x'.repeat(5000)), () => rmSync(join(world.root, 'dir'), { recursive: true })),
    refused: [['dir/secret', /folder is gone/]],
    put: [],
  },
  {
    title: 'a file that becomes a link while it is written',
    archive: (world) =>
      slowly(file('kept', 'x'.repeat(5000)), () => {
        unlinkSync(join(world.root, 'kept'))
        symlinkSync('../outside/secret', join(world.root, 'kept'))
      }),
    refused: [],
    put: ['kept'],
  },
  {
    title: 'a file that becomes a folder while it is written',
    archive: (world) =>
      slowly(file('kept', 'x'.repeat(5000)), () => {
        unlinkSync(join(world.root, 'kept'))
        mkdirSync(join(world.root, 'kept'))
      }),
    refused: [['kept', /folder in its place/]],
    put: [],
  },
  {
    title: 'a folder that becomes a link before its mode is set',
    archive: (world) =>
      slowly(Buffer.concat([folder('dir/', { mode: '0000777' }), file('x', 'x'.repeat(5000))]), () =>
        swap(world, 'dir'),
      ),
    refused: [['dir', /link in its place/]],
    put: ['x'],
  },
]

/** An archive of parts that come in two halves, with something between them. */
async function* slowly(part: Buffer, between: () => void): AsyncGenerator<Buffer> {
  yield part.subarray(0, -1024)
  between()
  yield part.subarray(-1024)
  yield end
}

const closed: Hostile[] = [
  {
    title: 'a file in a folder that may not be written to',
    before: ({ root }) => chmodSync(join(root, 'dir'), 0o555),
    archive: () => archive(file('dir/a'), file('after')),
    refused: [['dir/a', /permission denied/]],
    put: ['after'],
    only: 'not root',
  },
  {
    title: 'a file in a folder that may not be entered',
    before: ({ root }) => chmodSync(join(root, 'dir'), 0o600),
    archive: () => archive(file('dir/a'), file('dir/b/c'), file('after')),
    refused: [
      ['dir/a', /permission denied/],
      ['dir/b/c', /permission denied/],
    ],
    put: ['after'],
    only: 'not root',
  },
  {
    title: 'a file in a folder that may only not be listed',
    before: ({ root }) => chmodSync(join(root, 'dir'), 0o311),
    archive: () => archive(file('dir/a')),
    refused: [],
    put: ['dir/a'],
    only: 'not root',
  },
  {
    title: 'a folder in one that may not be written to',
    before: ({ root }) => chmodSync(join(root, 'dir'), 0o555),
    archive: () => archive(folder('dir/new/'), link('dir/l', 'x'), file('dir/x/y')),
    refused: [
      ['dir/new', /permission denied/],
      ['dir/l', /permission denied/],
      ['dir/x/y', /permission denied/],
    ],
    only: 'not root',
  },
]

const others: Hostile[] = [
  {
    title: 'another name that leads out',
    archive: () => archive(file('a'), file('b'), file('c')),
    wants: () => (path) => (path === 'c' ? 'put' : { as: path === 'a' ? '../outside/evil' : 'link-out/evil' }),
    refused: [
      ['a', escape],
      ['b', through],
    ],
    put: ['c'],
  },
  {
    title: 'a FIFO in the place of a file',
    before: ({ root }) => {
      unlinkSync(join(root, 'kept'))
      execFileSync('mkfifo', [join(root, 'kept')])
    },
    archive: () => archive(file('kept', 'x')),
    refused: [],
    put: ['kept'],
  },
]

/** All of them: a row each. */
export const hostileArchives: readonly Hostile[] = [
  ...paths,
  ...names,
  ...links,
  ...hardLinks,
  ...types,
  ...damage,
  ...floods,
  ...races,
  ...closed,
  ...others,
]
