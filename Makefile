# SPDX-License-Identifier: GPL-2.0-only
#
# Names for what a person or the CI runs. Each target only calls the script that does the work; the
# kernels are built outside the tree, see tests/kernel/setup.sh --help.

SETUP	:= tests/kernel/setup.sh
TALLY	:= tests/lib/tally.sh
KERNELS	:= vtd vtd-off vtd-debug stock
DEMO	:= vtd-legacy-nic-rx
FUZZ_SECONDS ?= 60

.PHONY: help deps kernels tools install unit fuzz tool hil demo test checkpatch clean

help:
	@echo 'make demo        one NIC keeps receiving through a kexec; prints a table'
	@echo 'make test        everything below; the last line is "N passed, N failed"'
	@echo 'make tools       build iommu-freeze, the operator'"'"'s tool; make install PREFIX= DESTDIR='
	@echo 'make deps        install the packages that are missing (root, Debian)'
	@echo 'make kernels     build the kernels that the scenarios boot'
	@echo 'make unit        unit tests, no root, seconds'
	@echo 'make fuzz        fuzz the blob parser, FUZZ_SECONDS=$(FUZZ_SECONDS)'
	@echo 'make tool        test iommu-freeze without a kernel'
	@echo 'make hil         all scenarios in QEMU; results in out/hil/*.json'
	@echo 'make hil-NAME    one scenario; tests/hil/run.sh --list names them'
	@echo 'make checkpatch  kernel style, git am and size of the patches'
	@echo 'make clean       remove out/, where all of this is built; kernels stay in the cache'

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

hil:
	@tests/hil/run.sh all

hil-%:
	@tests/hil/run.sh $*

demo: deps
	@$(SETUP) vtd >/dev/null
	@tests/hil/run.sh $(DEMO); rc=$$?; tests/lib/table.sh out/hil/$(DEMO).json && exit $$rc

checkpatch:
	@tests/lib/style.sh

# One after the other, whatever fails: the machine is small and the sum tells all.
test: deps
	@$(TALLY) start
	@CMOCKA_MESSAGE_OUTPUT=TAP $(TALLY) part unit $(MAKE) --no-print-directory unit
	@$(TALLY) part fuzz $(MAKE) --no-print-directory fuzz
	@$(TALLY) part tool $(MAKE) --no-print-directory tool
	@$(TALLY) step kernels $(MAKE) --no-print-directory kernels
	@$(TALLY) part checkpatch $(MAKE) --no-print-directory checkpatch
	@$(TALLY) part hil $(MAKE) --no-print-directory hil
	@$(TALLY) sum

clean:
	@rm -rf out
