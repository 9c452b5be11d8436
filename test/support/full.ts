/** For those who want to wait: properties are tried much longer, and what takes minutes is not left out. */
export const full = process.env['KUBERUN_TEST_FULL'] === '1'
