# SPDX-License-Identifier: GPL-2.0-only
#
# Names for what a person or the CI runs. Each target only calls the script that does the work; the
# kernels are built outside the tree, see tests/kernel/setup.sh --help.

SETUP	:= tests/kernel/setup.sh
TALLY	:= tests/lib/tally.sh
RUN	:= tests/hil/run.py
# Debian's configuration is for its own source, see tests/lib/style.sh
KERNELS	:= $(if $(KSRC),,debian) vtd vtd-off vtd-debug vtd-modules stock
PYTHON	:= /usr/bin/python3
FUZZ_SECONDS ?= 15
export FUZZ_SEED

.PHONY: help deps kernels tools install unit fuzz tool hil demo demo-smmuv3 test checkpatch selftest-judge mutants coverage smmuv3 clean

help:
	@echo 'make demo            one NIC keeps receiving through a kexec; prints a table'
	@echo 'make demo-smmuv3     the same on an arm64 machine with an SMMUv3'
	@echo 'make test            all tests; a line for each part, and the last is "N passed, N failed"'
	@echo 'make tools           build iommu-freeze, the operator'"'"'s tool; make install PREFIX= DESTDIR='
	@echo
	@echo 'The parts of make test, and what they need:'
	@echo 'make deps            install the packages that are missing (root, Debian)'
	@echo 'make kernels         build the kernels that the scenarios boot'
	@echo 'make unit            unit tests, no root, seconds'
	@echo 'make fuzz            fuzz the pure code: FUZZ_SECONDS=$(FUZZ_SECONDS) each, FUZZ_SEED=N to have a run again'
	@echo 'make tool            test iommu-freeze without a kernel, and fuzz what it reads'
	@echo 'make checkpatch      kernel style, Python and shell; git am and size of the patches; Debian'"'"'s configuration'
	@echo 'make selftest-judge  reports, tables and traces that are spoiled are refused by the judge'
	@echo 'make hil             the scenarios of VT-d in QEMU; results in out/hil/*.json'
	@echo 'make hil-NAME        one scenario; $(RUN) --list names them'
	@echo
	@echo 'Not in make test, as they take long:'
	@echo 'make mutants         break the kernel in each known way; a scenario has to fail'
	@echo 'make coverage        which lines of the kernel code the scenarios reach'
	@echo 'make smmuv3          the scenarios on an arm64 machine with an SMMUv3'
	@echo 'make clean           remove out/, where all of this is built; kernels stay in the cache'

deps:
	@$(SETUP) --install

kernels:
	@$(SETUP) $(KERNELS)

tools install:
	@$(MAKE) --no-print-directory -C tools/iommu-freeze $(subst tools,all,$@)

unit:
	@$(MAKE) --no-print-directory -C tests/unit check

fuzz:
	@$(MAKE) --no-print-directory -C tests/fuzz check FUZZ_SECONDS=$(FUZZ_SECONDS)

tool:
	@$(MAKE) --no-print-directory -C tests/tool check FUZZ_SECONDS=$(FUZZ_SECONDS)

# The machine with an SMMUv3 has kernels of its own, which take as long again to build.
hil:
	@$(RUN) $$($(RUN) --list | grep -v '^smmuv3-')

smmuv3:
	@$(RUN) $$($(RUN) --list | grep '^smmuv3-')

hil-%:
	@$(RUN) $*

# A scenario's name begins with its kernel's.
demo: DEMO := vtd-nic-rx
demo-smmuv3: DEMO := smmuv3-s1-nic-rx
demo demo-smmuv3: deps
	@$(SETUP) $(firstword $(subst -, ,$(DEMO))) >/dev/null
	@$(RUN) $(DEMO); rc=$$?; tests/lib/table.sh out/hil/$(DEMO).json && exit $$rc

checkpatch:
	@tests/lib/style.sh

# All are run, whatever the first finds.
selftest-judge:
	@rc=0; $(PYTHON) tests/hil/judge/selftest.py || rc=1; $(PYTHON) tests/lib/tap.py tests/hil/judge/test_judge.py || rc=1; \
	$(PYTHON) tests/lib/tap.py tests/hil/judge/test_smmuv3.py || rc=1; \
	$(PYTHON) -B tests/coverage/selftest.py || rc=1; exit $$rc

mutants:
	@tests/mutants/run.sh

coverage:
	@tests/coverage/run.sh

# One after the other, whatever fails: the machine is small and the sum tells all. Only the kernels
# are built behind the parts that need none. Not by $$(MAKE), so that make -n runs nothing of it.
SUB	= $(MAKE) --no-print-directory
test: deps
	@trap '$(TALLY) stop; exit 130' INT TERM HUP; \
	$(TALLY) start unit fuzz tool style judge kernels scenarios; \
	$(TALLY) behind kernels $(SETUP) $(KERNELS); \
	CMOCKA_MESSAGE_OUTPUT=TAP $(TALLY) part unit $(SUB) unit; \
	$(TALLY) part fuzz $(SUB) fuzz; \
	$(TALLY) part tool $(SUB) tool; \
	$(TALLY) part style $(SUB) checkpatch; \
	$(TALLY) part judge $(SUB) selftest-judge; \
	$(TALLY) wait kernels && $(TALLY) part scenarios $(SUB) hil; \
	$(TALLY) sum

clean:
	@rm -rf out
