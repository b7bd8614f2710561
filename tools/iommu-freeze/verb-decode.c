// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommu-freeze decode: a handover from a file, for support cases
 *
 * Structure: reads at most FRZ_MAX_BLOB_LEN bytes, has the kernel's parser check
 * all of them, then prints the records. No lock, no root, no kernel. The parser
 * may refuse the blob; after that only reading, writing and memory fail.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "tool.h"

static struct bdf place_of(const struct frz_device *dev)
{
	return (struct bdf){
		.segment = dev->segment, .devid = dev->bus << 8 | dev->devfn,
	};
}

static const char *frozen_state(u32 state)
{
	return state == FRZ_DEVICE_FROZEN ? "frozen" : "preserved";
}

static const u8 *blob_digest(const struct frz_blob *b)
{
	return ((const struct frz_abi_header *)b->data)->digest;
}

static u32 blob_version(const struct frz_blob *b)
{
	return le32_to_cpu(((const struct frz_abi_header *)b->data)->version);
}

/*
 * JSON
 */
static json_t *json_units(const struct frz_blob *b)
{
	json_t *units = json_array(), *tables, *item;
	struct frz_unit unit = {};
	u32 i, bus;
	u64 pa;

	while (frz_blob_next_unit(b, &unit)) {
		tables = json_array();
		for (i = 0; i < unit.nr_contexts; i++) {
			frz_blob_context(b, &unit, i, &bus, &pa);
			item = json_pack("{sIso}", "bus", (json_int_t)bus,
					 "address", json_hex(pa));
			json_array_append_new(tables, item);
		}
		item = json_pack("{sssIsosososososo}",
				 "kind", "vtd-legacy",
				 "segment", (json_int_t)unit.segment,
				 "reg_base", json_hex(unit.reg_base),
				 "cap", json_hex(unit.cap),
				 "ecap", json_hex(unit.ecap),
				 "root", json_hex(unit.root),
				 "irt", unit.irt ? json_hex(unit.irt) : json_null(),
				 "contexts", tables);
		json_array_append_new(units, item);
	}
	return units;
}

static json_t *json_domains(const struct frz_blob *b)
{
	json_t *domains = json_array(), *chunks, *item;
	struct frz_domain dom = {};
	struct frz_chunk chunk;
	u32 i;

	while (frz_blob_next_domain(b, &dom)) {
		chunks = json_array();
		for (i = 0; i < dom.nr_chunks; i++) {
			frz_blob_chunk(b, &dom, i, &chunk);
			item = json_pack("{sosIsI}",
					 "address", json_hex(chunk.address),
					 "length", (json_int_t)chunk.len,
					 "used", (json_int_t)chunk.used);
			json_array_append_new(chunks, item);
		}
		item = json_pack("{sIsssIsosIsIsososososososo}",
				 "id", (json_int_t)dom.id,
				 "format", print_format(dom.format),
				 "levels", (json_int_t)dom.levels,
				 "leaf_levels", json_hex(dom.leaf_levels),
				 "unit", (json_int_t)dom.unit,
				 "did", (json_int_t)dom.did,
				 "top", json_hex(dom.top),
				 "tables", json_count(dom.stats.tables),
				 "leaves", json_count(dom.stats.leaves),
				 "extents", json_count(dom.stats.extents),
				 "mapped", json_count(dom.stats.bytes),
				 "digest", json_digest(dom.digest),
				 "chunks", chunks);
		json_array_append_new(domains, item);
	}
	return domains;
}

static json_t *json_bridges(const struct frz_blob *b, const struct frz_device *dev)
{
	json_t *bridges = json_array(), *item;
	struct frz_bridge bridge;
	char place[BDF_LEN];
	struct bdf bdf;
	u32 i;

	for (i = 0; i < dev->nr_bridges; i++) {
		frz_blob_bridge(b, dev, i, &bridge);
		bdf.segment = dev->segment;
		bdf.devid = bridge.bus << 8 | bridge.devfn;
		item = json_pack("{sssIsIsI}",
				 "device", print_bdf(&bdf, place),
				 "primary", (json_int_t)bridge.primary,
				 "secondary", (json_int_t)bridge.secondary,
				 "subordinate", (json_int_t)bridge.subordinate);
		json_array_append_new(bridges, item);
	}
	return bridges;
}

static json_t *json_blob_devices(const struct frz_blob *b)
{
	char place[BDF_LEN], name[NAME_LEN];
	json_t *devices = json_array(), *bars, *item;
	struct frz_device dev = {};
	struct bdf bdf;
	size_t i;

	while (frz_blob_next_device(b, &dev)) {
		bdf = place_of(&dev);
		pci_name_by_id(dev.vendor, dev.device, name, sizeof(name));
		bars = json_array();
		for (i = 0; i < ARRAY_SIZE(dev.bars); i++)
			json_array_append_new(bars, json_hex(dev.bars[i]));
		item = json_pack("{sssssssososososososIsIsososo}",
				 "device", print_bdf(&bdf, place),
				 "name", name,
				 "state", frozen_state(dev.state),
				 "vendor_id", json_hex(dev.vendor),
				 "device_id", json_hex(dev.device),
				 "subsystem_vendor_id", json_hex(dev.subsystem_vendor),
				 "subsystem_device_id", json_hex(dev.subsystem_device),
				 "class_revision", json_hex(dev.class_revision),
				 "header_type", json_hex(dev.hdr_type),
				 "domain", (json_int_t)dev.domain,
				 "unit", (json_int_t)dev.unit,
				 "command", json_hex(dev.command),
				 "bars", bars,
				 "bridges", json_bridges(b, &dev));
		json_array_append_new(devices, item);
	}
	return devices;
}

static enum outcome decode_json(const struct frz_blob *b, size_t len)
{
	json_t *blob, *root = json_begin(verb_decode.name);
	json_t *units = json_units(b), *domains = json_domains(b);
	json_t *devices = json_blob_devices(b);
	bool whole = json_array_size(units) == b->nr_units &&
		     json_array_size(domains) == b->nr_domains &&
		     json_array_size(devices) == b->nr_devices;

	blob = json_pack("{sIsIsIsbsoso}",
			 "version", (json_int_t)blob_version(b),
			 "length", (json_int_t)b->len,
			 "behind", (json_int_t)(len - b->len),
			 "frozen", !!(b->flags & FRZ_BLOB_FROZEN),
			 "generation", json_count(b->generation),
			 "digest", json_digest(blob_digest(b)));
	json_object_set_new(root, "blob", blob);
	json_object_set_new(root, "units", units);
	json_object_set_new(root, "domains", domains);
	json_object_set_new(root, "devices", devices);
	/* Version, verb and these four */
	if (!whole || json_object_size(root) != 6) {
		json_decref(root);
		root = NULL;
	}
	return json_end(root);
}

/*
 * Text
 */
static void print_units(const struct frz_blob *b)
{
	struct frz_unit unit = {};
	u32 i, bus, number = 0;
	u64 pa;

	while (frz_blob_next_unit(b, &unit)) {
		printf("\nunit %u     vtd-legacy, segment %04x, registers at 0x%llx\n",
		       number++, unit.segment, unit.reg_base);
		printf("  cap      0x%llx, ecap 0x%llx\n", unit.cap, unit.ecap);
		printf("  root     0x%llx\n", unit.root);
		if (unit.irt)
			printf("  irt      0x%llx\n", unit.irt);
		for (i = 0; i < unit.nr_contexts; i++) {
			frz_blob_context(b, &unit, i, &bus, &pa);
			printf("  context  0x%llx, bus %02x\n", pa, bus);
		}
	}
}

static void print_domains(const struct frz_blob *b)
{
	struct frz_domain dom = {};
	struct frz_chunk chunk;
	char size[BYTES_LEN], hex[HEX_LEN];
	u32 i;

	while (frz_blob_next_domain(b, &dom)) {
		printf("\ndomain %u   unit %u, domain id %u, %s, %u levels, leaf levels 0x%x\n",
		       dom.id, dom.unit, dom.did, print_format(dom.format),
		       dom.levels, dom.leaf_levels);
		printf("  mapped   %s in %llu extents, %llu leaves, %llu tables\n",
		       print_bytes(dom.stats.bytes, size, sizeof(size)),
		       dom.stats.extents, dom.stats.leaves, dom.stats.tables);
		printf("  digest   %s\n", print_hex(dom.digest, FRZ_DIGEST_LEN, hex));
		printf("  top      0x%llx\n", dom.top);
		for (i = 0; i < dom.nr_chunks; i++) {
			frz_blob_chunk(b, &dom, i, &chunk);
			printf("  chunk    0x%llx, %s", chunk.address,
			       print_bytes(chunk.len, size, sizeof(size)));
			printf(", %s used\n",
			       print_bytes(chunk.used, size, sizeof(size)));
		}
	}
}

static void print_devices(const struct frz_blob *b)
{
	char place[BDF_LEN], name[NAME_LEN];
	struct frz_device dev = {};
	struct frz_bridge bridge;
	struct bdf bdf;
	size_t i;

	while (frz_blob_next_device(b, &dev)) {
		bdf = place_of(&dev);
		printf("\ndevice     %s %s\n", print_bdf(&bdf, place),
		       pci_name_by_id(dev.vendor, dev.device, name, sizeof(name)));
		printf("  state    %s, domain %u, unit %u\n",
		       frozen_state(dev.state), dev.domain, dev.unit);
		printf("  ids      %04x:%04x, subsystem %04x:%04x, class %06x, revision %02x\n",
		       dev.vendor, dev.device, dev.subsystem_vendor,
		       dev.subsystem_device, dev.class_revision >> 8,
		       dev.class_revision & 0xff);
		printf("  bars    ");
		for (i = 0; i < ARRAY_SIZE(dev.bars); i++)
			printf(" %08x", dev.bars[i]);
		printf(", command %04x\n", dev.command);
		for (i = 0; i < dev.nr_bridges; i++) {
			frz_blob_bridge(b, &dev, i, &bridge);
			bdf.devid = bridge.bus << 8 | bridge.devfn;
			printf("  bridge   %s, buses %02x to %02x\n",
			       print_bdf(&bdf, place), bridge.secondary,
			       bridge.subordinate);
		}
	}
}

static enum outcome decode_text(const struct frz_blob *b, size_t len)
{
	char hex[HEX_LEN];

	printf("handover   version %u, %zu bytes, %s, generation %llu\n",
	       blob_version(b), b->len,
	       b->flags & FRZ_BLOB_FROZEN ? "frozen" : "not frozen", b->generation);
	printf("  digest   %s\n", print_hex(blob_digest(b), FRZ_DIGEST_LEN, hex));
	printf("  holds    %u units, %u domains, %u devices\n", b->nr_units,
	       b->nr_domains, b->nr_devices);
	if (len > b->len)
		printf("  behind   %zu bytes that are not part of it\n", len - b->len);
	print_units(b);
	print_domains(b);
	print_devices(b);
	return OUTCOME_OK;
}

/**
 * decode_memory - check a blob and print what it holds
 * @name: of its file, for messages
 * @data: blob, 8-byte aligned
 * @len: bytes of memory, may be more than the blob
 * @json: for programs
 *
 * Return: OUTCOME_FAILED when it is refused.
 */
enum outcome decode_memory(const char *name, const void *data, size_t len,
			   bool json)
{
	struct frz_blob_error err = {};
	struct frz_blob b;

	if (frz_blob_open(&b, data, len, &sha256, &err)) {
		say("%s: refused at offset 0x%zx: %s (value 0x%llx)", name,
		    err.offset, err.reason, err.value);
		return OUTCOME_FAILED;
	}
	return json ? decode_json(&b, len) : decode_text(&b, len);
}

/* Bytes that were read, at most max; negative: errno was set. */
static ssize_t read_all(int fd, u8 *buf, size_t max)
{
	size_t len = 0;
	ssize_t n;

	while (len < max) {
		n = read(fd, buf + len, max - len);
		if (!n)
			break;
		if (n < 0 && errno != EINTR)
			return -1;
		len += n > 0 ? n : 0;
	}
	return len;
}

static enum outcome run_decode(const struct args *args)
{
	bool is_stdin = !strcmp(args->word, "-");
	const char *name = is_stdin ? "standard input" : args->word;
	int fd = is_stdin ? STDIN_FILENO : open(args->word, O_RDONLY | O_CLOEXEC);
	enum outcome outcome = OUTCOME_FAILED;
	u8 *buf = malloc(FRZ_MAX_BLOB_LEN + 1);
	ssize_t len = -1;

	if (!buf) {
		say("out of memory");
		goto out;
	}
	if (fd >= 0)
		len = read_all(fd, buf, FRZ_MAX_BLOB_LEN + 1);
	if (len < 0)
		say("%s: %s", name, strerror(errno));
	else if (len > FRZ_MAX_BLOB_LEN)
		say("%s: refused at offset 0x%x: longer than a handover can be",
		    name, FRZ_MAX_BLOB_LEN);
	else
		outcome = decode_memory(name, buf, len, args->json);
out:
	if (fd > STDIN_FILENO)
		close(fd);
	free(buf);
	return outcome;
}

const struct verb verb_decode = {
	.name = "decode",
	.brief = "check and print a handover from a file",
	.synopsis = "[--json] FILE",
	.about =
	"Reads a handover, as one kernel leaves it to the next, from FILE or, for -,\n"
	"from standard input. Needs neither root nor a kernel that supports it. A\n"
	"handover that a kernel would refuse is refused, with offset and reason.\n",
	.takes = TAKES_JSON | TAKES_FILE | NEEDS_SOME,
	.run = run_decode,
};
