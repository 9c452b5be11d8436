import { emptyExtractReport } from '../../src/sync/extract/extract-report.ts'
import { extract } from './extract.ts'
import { archive, file, inPieces } from './tar-parts.ts'

// A program that extracts the same files again and again, until it is killed.
const [, , root = ''] = process.argv
const bytes = archive(...Array.from({ length: 50 }, (_, n) => file(`f${n}`, 'n'.repeat(70_000))))
for (;;) {
  await extract(inPieces(bytes, 10_000), { root, runId: 'killed', wants: () => 'put', report: emptyExtractReport() })
  process.stdout.write('.')
}
