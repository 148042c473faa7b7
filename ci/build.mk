# Lint: layout (clang-format), C (cppcheck, clang-tidy), shell (shellcheck).
LINT_C = $(shell find hv guestbench harness tests -name '*.c')
LINT_H = $(shell find hv guestbench harness tests -name '*.h')
LINT_SH = .ci/run $(shell find ci images guestbench harness hv tests -name '*.sh' -o -name '*.t')
LINT_32 = $(filter tests/guests/only32/%,$(LINT_C))
LINT_CFLAGS := -std=gnu11 -D_GNU_SOURCE -Ihv -Iguestbench -Iharness -isystem $(B)/sqlite

lint: lint-format lint-cppcheck lint-tidy lint-shell ##  check layout, C and shell (LINT_C="..." selects)

.PHONY: lint-setup lint-format lint-cppcheck lint-tidy lint-shell
lint-setup:
	@ci/setup.sh ci/packages ci/packages-lint

lint-format: lint-setup
	clang-format --dry-run -Werror $(LINT_C) $(LINT_H)

lint-cppcheck: lint-setup
	cppcheck --quiet --error-exitcode=1 --inline-suppr --suppressions-list=ci/cppcheck-suppressions \
	    --enable=warning,performance,portability --std=c11 -j2 -Ihv $(LINT_C)

lint-tidy: lint-setup $(B)/sqlite/sqlite3.c
	printf '%s\n' $(filter-out $(LINT_32),$(LINT_C)) | xargs -P2 -n4 sh -c 'exec clang-tidy --quiet "$$@" -- $(LINT_CFLAGS)' lint
	printf '%s\n' $(LINT_32) | xargs -r -P2 -n4 sh -c 'exec clang-tidy --quiet "$$@" -- -m32 -ffreestanding $(LINT_CFLAGS)' lint

lint-shell: lint-setup
	shellcheck --severity=warning $(LINT_SH)

format: lint-setup ##  lay out the C sources as lint wants them
	clang-format -i $(LINT_C) $(LINT_H)

$(eval $(call script_test,ci/tests/setup.t))
$(eval $(call script_test,ci/tests/fetch-debs.t))
