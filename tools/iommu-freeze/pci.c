// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommu-freeze: what libpci does for us: places, filters and names
 *
 * One struct pci_access, made when it is needed first, and one filter. libpci ends the
 * program when sysfs fails half way; a device that is not there and a missing pci.ids are no
 * failures, names are numbers then.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "verb.h"

/* frz.h has made u8 to u64 */
#define PCI_HAVE_Uxx_TYPES
#include <pci/pci.h>

static struct pci_access *pci;
static struct pci_filter filter;
static bool filtered, by_id;

static __printf(1, 2) __noreturn
void pci_failed(char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	say("libpci: %s", text);
	exit(OUTCOME_FAILED);
}

static __printf(1, 2)
void pci_quiet(char *fmt, ...)
{
}

static struct pci_access *pci_begin(void)
{
	if (pci)
		return pci;
	pci = pci_alloc();
	pci->error = pci_failed;
	pci->warning = pci_quiet;
	pci->debug = pci_quiet;
	/* The others need rights, and find devices that Linux does not. */
	pci->method = PCI_ACCESS_SYS_BUS_PCI;
	pci_init(pci);
	return pci;
}

/**
 * pci_parse_bdf - parse the place of a device
 * @text: [DOMAIN:]BUS:SLOT.FUNCTION, hexadecimal
 * @bdf: filled
 *
 * Return: false when it is none.
 */
bool pci_parse_bdf(const char *text, struct bdf *bdf)
{
	u32 segment = 0, bus, slot, function;
	int end = 0;

	/* sscanf() takes more: spaces, signs and 0x. */
	if (text[strspn(text, "0123456789abcdefABCDEF:.")])
		return false;
	if (sscanf(text, "%8x:%2x:%2x.%1x%n", &segment, &bus, &slot, &function, &end) != 4) {
		segment = 0;
		if (sscanf(text, "%2x:%2x.%1x%n", &bus, &slot, &function, &end) != 3)
			return false;
	}
	*bdf = (struct bdf){ .segment = segment, .devid = bus << 8 | slot << 3 | function };
	return !text[end] && segment <= 0x7fffffff && slot <= 0x1f && function <= 7;
}

/* Of one option; libpci writes into what it parses. */
static const char *parse_option(char option, const char *value)
{
	const char *reason;
	char text[64];

	if (snprintf(text, sizeof(text), "%s", value) >= (int)sizeof(text))
		reason = print_text("-%c: too long", option);
	else if (option == 's')
		reason = pci_filter_parse_slot(&filter, text);
	else
		reason = pci_filter_parse_id(&filter, text);
	return reason ? print_text("-%c '%.40s': %s", option, value, reason) : NULL;
}

/**
 * pci_filter_set - choose which devices are meant, as lspci does
 * @slot: argument of -s, NULL: any
 * @id: argument of -d, NULL: any
 *
 * Return: NULL, or why one of them is wrong.
 */
const char *pci_filter_set(const char *slot, const char *id)
{
	const char *reason = NULL;

	filtered = slot || id;
	by_id = id;
	if (filtered)
		pci_filter_init(pci_begin(), &filter);
	if (slot)
		reason = parse_option('s', slot);
	if (!reason && id)
		reason = parse_option('d', id);
	return reason;
}

/* The device as libpci knows it, to be freed, whether it is there or not. */
static struct pci_dev *get_dev(struct bdf bdf)
{
	return pci_get_dev(pci_begin(), bdf.segment, bdf.devid >> 8, bdf.devid >> 3 & 0x1f,
			   bdf.devid & 7);
}

static bool is_there(struct bdf bdf)
{
	return !access(print_text("/sys/bus/pci/devices/%s/vendor", print_bdf(bdf)), R_OK);
}

/**
 * pci_filter_takes - whether a device is meant
 * @bdf: place of the device
 *
 * Return: whether it is. A device that is not there has no ids to match.
 */
bool pci_filter_takes(struct bdf bdf)
{
	struct pci_dev *dev;
	bool takes;

	if (!filtered)
		return true;
	if (by_id && !is_there(bdf))
		return false;
	dev = get_dev(bdf);
	takes = pci_filter_match(&filter, dev);
	pci_free_dev(dev);
	return takes;
}

/**
 * pci_name_by_id - name of a kind of device
 * @vendor: vendor id
 * @device: device id
 *
 * Return: text, as of print_text(): vendor and device, numbers where pci.ids does
 * not tell.
 */
const char *pci_name_by_id(u32 vendor, u32 device)
{
	char name[256];

	/* No network and no udev: a tool of the kernel's asks a file. */
	if (!pci_lookup_name(pci_begin(), name, sizeof(name), PCI_LOOKUP_VENDOR |
			     PCI_LOOKUP_DEVICE | PCI_LOOKUP_NO_NUMBERS |
			     PCI_LOOKUP_NO_HWDB, vendor, device))
		return print_text("%04x:%04x", vendor, device);
	return print_text("%s", name);
}

/**
 * pci_name - name of a device of this machine
 * @bdf: place of it
 *
 * Return: text, as of print_text(), or NULL when no device is there.
 */
const char *pci_name(struct bdf bdf)
{
	const char *name;
	struct pci_dev *dev;

	if (!is_there(bdf))
		return NULL;
	dev = get_dev(bdf);
	pci_fill_info(dev, PCI_FILL_IDENT);
	name = pci_name_by_id(dev->vendor_id, dev->device_id);
	pci_free_dev(dev);
	return name;
}
