/** An error of a file operation, with the code, the path and the operation that Node would give it. */
export function fileError(code: string, operation: string, path: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: ${operation} ${path}`), { code, path, syscall: operation });
}
