import { BlockList, isIP } from 'node:net'
import { KuberunError } from '../errors.ts'
import type { Env } from './kubeconfig-files.ts'
import { bareHost } from './server-url.ts'

const supported = ['http:', 'https:', 'socks:', 'socks4:', 'socks4a:', 'socks5:', 'socks5h:']

/**
 * The proxy between us and a server: the cluster's `proxy-url`, else what the environment says, read as Go reads it, so
 * that whatever kubectl reaches is reached the same way: `ALL_PROXY` is curl's alone.
 * @throws {KuberunError} `kubeconfig` for an address that is no proxy's
 */
export function proxyFor(server: URL, configured: string | undefined, env: Env): URL | undefined {
  if (configured !== undefined) return parseProxy(configured, 'proxy-url of the kubeconfig')
  const name = server.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY'
  const value = lookUp(env, name)
  if (value === '' || isExempt(server, lookUp(env, 'NO_PROXY'))) return undefined
  return parseProxy(value, name)
}

function parseProxy(value: string, origin: string): URL {
  const url = URL.parse(value.includes('://') ? value : `http://${value}`)
  if (url !== null && supported.includes(url.protocol) && url.hostname !== '') return url
  const hint = 'it must look like http://HOST:PORT, https://HOST:PORT or socks5://HOST:PORT'
  throw new KuberunError('kubeconfig', `the ${origin} "${value}" is no address of a proxy`, { hint })
}

/**
 * Whether `NO_PROXY` exempts a server: a name with its subdomains, `.name` for the subdomains alone, an address, a CIDR
 * range, each with an optional port, or `*`. This machine is always exempt: a proxy's "localhost" is not ours.
 */
function isExempt(server: URL, list: string): boolean {
  const host = bareHost(server)
  const port = server.port || (server.protocol === 'https:' ? '443' : '80')
  if (host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))) return true
  return list
    .split(',')
    .map((rule) => rule.trim().toLowerCase())
    .some((rule) => rule !== '' && matches(rule, host, port))
}

function matches(rule: string, host: string, port: string): boolean {
  if (rule === '*') return true
  if (rule.includes('/')) return isIP(host) !== 0 && inRange(rule, host)
  const [, name = rule, onlyPort] = /^(.*?)(?::(\d+))?$/.exec(isIP(rule) === 6 ? `[${rule}]` : rule) ?? []
  if (onlyPort !== undefined && onlyPort !== port) return false
  const wanted = name.replace(/^\[|\]$/g, '').replace(/^\*(?=\.)/, '')
  return wanted.startsWith('.') ? host.endsWith(wanted) : host === wanted || host.endsWith(`.${wanted}`)
}

function inRange(rule: string, host: string): boolean {
  const [network = '', bits = ''] = rule.split('/')
  const family = isIP(network)
  if (family === 0 || !/^\d{1,3}$/.test(bits) || Number(bits) > (family === 4 ? 32 : 128)) return false
  const range = new BlockList()
  range.addSubnet(network, Number(bits), family === 4 ? 'ipv4' : 'ipv6')
  return range.check(host, isIP(host) === 4 ? 'ipv4' : 'ipv6')
}

function lookUp(env: Env, name: string): string {
  return env[name] || env[name.toLowerCase()] || ''
}

/** The proxy as messages show it: without its password. */
export function showProxy(proxy: URL): string {
  return `${proxy.protocol}//${proxy.host}`
}
