# Lint: layout (clang-format), C (cppcheck, clang-tidy), shell (shellcheck).
LINT_C := $(shell find hv guestbench harness tests -name '*.c' 2>/dev/null)
LINT_H := $(shell find hv guestbench harness tests -name '*.h' 2>/dev/null)
LINT_SH := $(shell find .ci ci images guestbench harness tests -name '*.sh' -o -name '*.t' -o -path .ci/run)
LINT_CFLAGS := -std=gnu11 -D_GNU_SOURCE -Ihv -Iguestbench -Iharness -Iguestbench/core

lint: ##  check layout, C and shell scripts (LINT_C="..." selects)
	@ci/setup.sh ci/packages ci/packages-lint
	clang-format --dry-run -Werror $(LINT_C) $(LINT_H)
	cppcheck --quiet --error-exitcode=1 --inline-suppr --suppressions-list=ci/cppcheck-suppressions \
	    --enable=warning,performance,portability --std=c11 -j2 -Ihv $(LINT_C)
	printf '%s\n' $(LINT_C) | xargs -P2 -n4 sh -c 'exec clang-tidy --quiet "$$@" -- $(LINT_CFLAGS)' lint
	shellcheck $(LINT_SH)

$(eval $(call script_test,ci/tests/setup.t))
$(eval $(call script_test,ci/tests/fetch-debs.t))
