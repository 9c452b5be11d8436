import { KuberunError } from '../errors.ts'
import type { PluginCredential } from './exec-plugin.ts'
import type { ExecEntry } from './kubeconfig-types.ts'

interface ExecCredential {
  kind?: string
  apiVersion?: string
  status?: {
    token?: string
    clientCertificateData?: string
    clientKeyData?: string
    expirationTimestamp?: string
  }
}

/**
 * Reads the `ExecCredential` that a plugin printed.
 * @throws {KuberunError} `credentials`: what is wrong with it
 */
export function parseExecCredential(output: string, plugin: ExecEntry): PluginCredential {
  const credential = parse(output, plugin)
  if (credential.kind !== 'ExecCredential') throw wrong(plugin, `printed the kind "${credential.kind ?? ''}"`)
  if (credential.apiVersion !== plugin.apiVersion) {
    const versions = `the apiVersion "${credential.apiVersion ?? ''}", but "${plugin.apiVersion}" was asked for`
    throw wrong(plugin, `printed ${versions}`)
  }
  const { status } = credential
  if (status === undefined || status === null) throw wrong(plugin, 'printed no status')
  const { token, clientCertificateData: cert, clientKeyData: key } = status
  if (!cert !== !key) throw wrong(plugin, 'printed a certificate without its key, or a key without its certificate')
  if (!token && !cert) throw wrong(plugin, 'printed neither a token nor a certificate')
  return {
    identity: { ...(token ? { authorization: `Bearer ${token}` } : {}), ...(cert && key ? { cert, key } : {}) },
    expires: expiry(status.expirationTimestamp, plugin),
  }
}

function parse(output: string, plugin: ExecEntry): ExecCredential {
  try {
    const value = JSON.parse(output) as unknown
    if (typeof value === 'object' && value !== null) return value
  } catch (error) {
    // The output may hold a token: it is not shown.
    throw wrong(plugin, output.trim() === '' ? 'printed nothing' : 'printed no JSON', error)
  }
  throw wrong(plugin, 'printed no JSON object')
}

function expiry(timestamp: string | undefined, plugin: ExecEntry): number {
  if (!timestamp) return Number.POSITIVE_INFINITY
  const expires = Date.parse(timestamp)
  if (Number.isNaN(expires)) throw wrong(plugin, `printed the expirationTimestamp "${timestamp}", which is no time`)
  return expires
}

function wrong(plugin: ExecEntry, what: string, cause?: unknown): KuberunError {
  const hint = plugin.installHint ?? 'update the plugin, or log in again'
  return new KuberunError('credentials', `the credential plugin "${plugin.command}" ${what}`, { cause, hint })
}
