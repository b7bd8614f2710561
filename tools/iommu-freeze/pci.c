// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommu-freeze: what libpci does for us: places, filters and names
 *
 * Structure: one struct pci_access, made when it is needed first. No lock. libpci
 * ends the program when sysfs fails half way; a device that is not there
 * and a missing pci.ids are no failures, names are numbers then.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "tool.h"

/* frz.h has made u8 to u64 */
#define PCI_HAVE_Uxx_TYPES
#include <pci/pci.h>

static struct pci_access *pci;

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
	(void)fmt;
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
 * pci_end - free what libpci keeps
 */
void pci_end(void)
{
	if (pci)
		pci_cleanup(pci);
	pci = NULL;
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

/* libpci writes into what it parses. */
static char *parse_filter(struct pci_filter *filter, const char *slot,
			  const char *id)
{
	char *reason = NULL;
	char text[64];

	pci_filter_init(pci_begin(), filter);
	if (slot) {
		if (snprintf(text, sizeof(text), "%s", slot) >= (int)sizeof(text))
			return "-s: too long";
		reason = pci_filter_parse_slot(filter, text);
	}
	if (!reason && id) {
		if (snprintf(text, sizeof(text), "%s", id) >= (int)sizeof(text))
			return "-d: too long";
		reason = pci_filter_parse_id(filter, text);
	}
	return reason;
}

/**
 * pci_filter_check - check filters as lspci has them
 * @slot: argument of -s, may be NULL
 * @id: argument of -d, may be NULL
 *
 * Return: NULL, or why one of them is wrong.
 */
const char *pci_filter_check(char *slot, char *id)
{
	struct pci_filter filter;
	static char text[128];
	char *reason;

	if (!slot && !id)
		return NULL;
	reason = parse_filter(&filter, slot, NULL);
	if (reason) {
		snprintf(text, sizeof(text), "-s '%.40s': %s", slot, reason);
		return text;
	}
	reason = parse_filter(&filter, NULL, id);
	if (reason) {
		snprintf(text, sizeof(text), "-d '%.40s': %s", id, reason);
		return text;
	}
	return NULL;
}

/* The device as libpci knows it, to be freed; NULL when it is not there. */
static struct pci_dev *get_dev(const struct bdf *bdf)
{
	char path[64], place[BDF_LEN];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/vendor",
		 print_bdf(bdf, place));
	if (access(path, R_OK))
		return NULL;
	return pci_get_dev(pci_begin(), bdf->segment, bdf->devid >> 8,
			   bdf->devid >> 3 & 0x1f, bdf->devid & 7);
}

/**
 * pci_filter_takes - whether the filters let a device through
 * @slot: argument of -s, may be NULL; checked before
 * @id: argument of -d, may be NULL; checked before
 * @bdf: place of the device
 *
 * Return: whether they do. A device that is not there has no ids to match.
 */
bool pci_filter_takes(char *slot, char *id, const struct bdf *bdf)
{
	struct pci_filter filter;
	struct pci_dev *dev;
	bool takes;

	if (!slot && !id)
		return true;
	if (parse_filter(&filter, slot, id))
		return false;
	if (!id) {
		dev = pci_get_dev(pci_begin(), bdf->segment, bdf->devid >> 8,
				  bdf->devid >> 3 & 0x1f, bdf->devid & 7);
	} else {
		dev = get_dev(bdf);
		if (!dev)
			return false;
	}
	takes = pci_filter_match(&filter, dev);
	pci_free_dev(dev);
	return takes;
}

/**
 * pci_name_by_id - name of a kind of device
 * @vendor: vendor id
 * @device: device id
 * @buf: room for it, NAME_LEN
 * @len: size of @buf
 *
 * Return: @buf: vendor and device, numbers where pci.ids does not tell.
 */
const char *pci_name_by_id(u32 vendor, u32 device, char *buf, size_t len)
{
	/* No network and no udev: a tool of the kernel's asks a file. */
	if (!pci_lookup_name(pci_begin(), buf, len, PCI_LOOKUP_VENDOR |
			     PCI_LOOKUP_DEVICE | PCI_LOOKUP_NO_NUMBERS |
			     PCI_LOOKUP_NO_HWDB, vendor, device))
		snprintf(buf, len, "%04x:%04x", vendor, device);
	return buf;
}

/**
 * pci_name - name of a device of this machine
 * @bdf: place of it
 * @buf: room for it, NAME_LEN
 * @len: size of @buf
 *
 * Return: @buf, or NULL when no device is there.
 */
const char *pci_name(const struct bdf *bdf, char *buf, size_t len)
{
	struct pci_dev *dev = get_dev(bdf);

	if (!dev)
		return NULL;
	pci_fill_info(dev, PCI_FILL_IDENT);
	pci_name_by_id(dev->vendor_id, dev->device_id, buf, len);
	pci_free_dev(dev);
	return buf;
}
