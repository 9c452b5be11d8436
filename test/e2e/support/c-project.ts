/** A small C project, whose `build/` git ignores. */
export const cProject = {
  '.gitignore': '/build/\n*.o\n',
  Makefile: `build/app: build/main.o build/times.o
	$(CC) -o $@ $^
build/%.o: src/%.c include/times.h
	@mkdir -p build
	$(CC) -Iinclude -c $< -o $@
`,
  'include/times.h': 'int times(int, int);\n',
  'src/times.c': '#include "times.h"\nint times(int a, int b) { return a * b; }\n',
  'src/main.c': `#include <stdio.h>
#include "times.h"
int main(void) { return printf("6 times 7 is %d\\n", times(6, 7)) < 0; }
`,
}
