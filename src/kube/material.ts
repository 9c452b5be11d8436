import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { KuberunError } from '../errors.ts'

/** A certificate or key that a kubeconfig gives inline (base64), or as a file; inline wins, as for kubectl. */
export interface MaterialSource {
  data: string | undefined
  file: string | undefined
  /** What a relative file starts from. */
  folder: string
  /** The kubeconfig's field, for messages: `certificate-authority`. */
  field: string
}

/**
 * Reads a certificate or key; `undefined` where the kubeconfig has none.
 * @throws {KuberunError} `kubeconfig`, naming the field and the file
 */
export async function readMaterial(source: MaterialSource): Promise<Buffer | undefined> {
  if (source.data !== undefined) return decode(source.data, source.field)
  if (source.file === undefined) return undefined
  const path = resolve(source.folder, source.file)
  try {
    return await readFile(path)
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'it does not exist' : (error as Error).message
    throw new KuberunError('kubeconfig', `cannot read the ${source.field} "${path}" of the kubeconfig: ${why}`, {
      cause: error,
    })
  }
}

function decode(data: string, field: string): Buffer {
  const bytes = Buffer.from(data, 'base64')
  // Node skips what is not base64; the length tells it.
  if (bytes.length === 0 || !/^[\w+/=\s-]*$/.test(data)) {
    throw new KuberunError('kubeconfig', `the ${field}-data of the kubeconfig is not base64`)
  }
  return bytes
}
