import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TooSlow } from '../../src/kube/abort.ts'
import { connectionError } from '../../src/kube/connection-error.ts'
import { ProxyRefusal, TransportError } from '../../src/kube/transport.ts'

const server = new URL('https://api.example.com:6443/')
const proxy = new URL('http://user:secret@proxy:3128')
const cause = (code: string, message = code, syscall?: string): Error =>
  Object.assign(new Error(message), { code, syscall })

const direct: [error: unknown, why: RegExp, hint: RegExp, code?: string][] = [
  [cause('ECONNREFUSED'), /: connection refused$/, /kubectl cluster-info/],
  [new AggregateError([], ''), /: unknown error$/, /cluster-info/],
  [Object.assign(new AggregateError([], ''), { code: 'ECONNREFUSED' }), /: connection refused$/, /right context/],
  [cause('ENOTFOUND'), /: its name is not found$/, /VPN/],
  [cause('EAI_AGAIN'), /: its name cannot be looked up now$/, /DNS/],
  [cause('ETIMEDOUT'), /: the connection timed out$/, /cluster running/],
  [cause('EHOSTUNREACH'), /: no route to the host$/, /cluster running/],
  [cause('ENETUNREACH'), /: the network is unreachable$/, /cluster running/],
  [cause('ECONNRESET', 'socket hang up'), /: the connection was closed$/, /try again/],
  [cause('SELF_SIGNED_CERT_IN_CHAIN', 'self-signed'), /not trusted \(self-signed\)$/, /certificate-authority\(-data\)/],
  [cause('CERT_HAS_EXPIRED'), /its certificate has expired$/, /clock/],
  [cause('CERT_NOT_YET_VALID'), /is not valid yet$/, /clock/],
  [
    cause('ERR_TLS_CERT_ALTNAME_INVALID', "Host: a. is not in the cert's altnames: DNS:b"),
    /another name \(DNS:b\)$/,
    /tls-server-name/,
  ],
  [
    cause('ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED'),
    /^cannot log in to .* refused our client certificate$/,
    /log in/,
    'credentials',
  ],
  [
    cause('EPROTO', 'write EPROTO …:sslv3 alert bad certificate:…'),
    /refused our client certificate$/,
    /log in/,
    'credentials',
  ],
  [cause('ERR_SSL_WRONG_VERSION_NUMBER'), /: it speaks no TLS$/, /http:\/\//],
  [cause('ERR_SSL_INTERNAL', 'odd'), /: TLS failed \(odd\)$/, /cluster/],
]
for (const [error, why, hint, code = 'connection'] of direct) {
  const { code: name, message } = error as NodeJS.ErrnoException
  test(`${name ?? 'an error without a code'} (${message}) is worded`, () => {
    const worded = connectionError(new TransportError(error), { server, proxy: undefined })
    assert.equal(worded.code, code)
    assert.match(worded.message, /^cannot (reach|log in to) the API server at "https:\/\/api\.example\.com:6443": /)
    assert.match(worded.message, why)
    assert.match(worded.hint ?? '', hint)
    assert.equal(worded.cause, error)
  })
}

test('our own time-out names its flag', () => {
  const worded = connectionError(new TooSlow(5_000), { server, proxy: undefined })
  assert.match(worded.message, /: no answer within 5 s$/)
  assert.match(worded.hint ?? '', /--request-timeout/)
})

const behind: [error: Error, why: RegExp][] = [
  [cause('ECONNREFUSED', 'x', 'connect'), /: the proxy "http:\/\/proxy:3128": connection refused$/],
  [cause('ENOTFOUND', 'x', 'getaddrinfo'), /: the proxy "http:\/\/proxy:3128": its name is not found$/],
  [new ProxyRefusal(407, 'Proxy Authentication Required'), /: the proxy ".*" refused: 407 Proxy Auth/],
  [new Error('Proxy connection ended before receiving CONNECT response'), /: the proxy ".*" closed the connection$/],
  [cause('CERT_HAS_EXPIRED'), /: its certificate has expired$/],
]
for (const [error, why] of behind) {
  test(`behind a proxy, ${error.message} is worded without its password`, () => {
    const { message } = connectionError(new TransportError(error), { server, proxy })
    assert.match(message, why)
    assert.doesNotMatch(message, /secret/)
  })
}
