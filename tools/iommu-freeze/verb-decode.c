// SPDX-License-Identifier: GPL-2.0-only
/*
 * iommu-freeze decode: a handover from a file, for support cases
 *
 * Reads at most FRZ_MAX_BLOB_LEN bytes, has the kernel's parser check all of them,
 * then prints the records. Needs no root and no kernel. The parser may refuse the
 * handover; after that only reading and writing fail.
 */
#include <errno.h>
#include <stdlib.h>

#include "backend.h"
#include "blob.h"
#include "kind.h"

/* The handover was checked: there is one. */
static const struct backend *backend_of_kind(u32 unit_kind)
{
	const struct backend *const *b;

	for (b = backends; (*b)->unit_kind != unit_kind; b++)
		;
	return *b;
}

static json_t *units_json(const struct frz_blob *b)
{
	const struct frz_abi_unit *unit = NULL;
	json_t *units = json_array(), *item;

	while ((unit = frz_blob_next_unit(b, unit))) {
		item = must(json_pack("{sssIso}",
				      "kind", frz_kind_by_id(unit->kind)->name,
				      "segment", (u64)unit->segment,
				      "reg_base", json_hex(unit->reg_base)));
		json_merge(item, backend_of_kind(unit->kind)->unit_json(unit));
		json_add(units, item);
	}
	return units;
}

static json_t *chunks_json(const struct frz_abi_domain *dom)
{
	const struct frz_abi_chunk *chunk = frz_domain_chunks(dom);
	json_t *chunks = json_array();
	u32 i;

	for (i = 0; i < dom->nr_chunks; i++, chunk++)
		json_add(chunks, json_pack("{sosIsI}",
					   "address", json_hex(chunk->address),
					   "length", chunk->len,
					   "used", chunk->used));
	return chunks;
}

static json_t *domains_json(const struct frz_blob *b)
{
	const struct frz_abi_domain *dom = NULL;
	json_t *domains = json_array();

	while ((dom = frz_blob_next_domain(b, dom)))
		json_add(domains, json_pack("{sIsssIsosIsIsososIsIsIsIsoso}",
					    "id", (u64)dom->id,
					    "format", print_format(dom->format),
					    "levels", (u64)dom->levels,
					    "leaf_levels", json_hex(dom->leaf_levels),
					    "unit", (u64)dom->unit,
					    "did", (u64)dom->tag,
					    "top", json_hex(dom->top),
					    "head", json_if(dom->head, json_hex(dom->head)),
					    "tables", dom->stats.tables,
					    "leaves", dom->stats.leaves,
					    "extents", dom->stats.extents,
					    "mapped", dom->stats.bytes,
					    "digest", json_digest(dom->digest),
					    "chunks", chunks_json(dom)));
	return domains;
}

static const char *place(u32 segment, u32 bus, u32 devfn)
{
	return print_bdf((struct bdf){ .segment = segment, .devid = bus << 8 | devfn });
}

static json_t *bridges_json(const struct frz_abi_device *dev)
{
	const struct frz_abi_bridge *bridge = frz_device_bridges(dev);
	json_t *bridges = json_array();
	u32 i;

	for (i = 0; i < dev->nr_bridges; i++, bridge++)
		json_add(bridges, json_pack("{sssIsIsI}", "device",
					    place(dev->segment, bridge->bus, bridge->devfn),
					    "primary", (u64)bridge->primary,
					    "secondary", (u64)bridge->secondary,
					    "subordinate", (u64)bridge->subordinate));
	return bridges;
}

static json_t *devices_json(const struct frz_blob *b)
{
	json_t *devices = json_array(), *device, *bars;
	const struct frz_abi_device *dev = NULL;
	size_t i;

	while ((dev = frz_blob_next_device(b, dev))) {
		bars = json_array();
		for (i = 0; i < ARRAY_SIZE(dev->bars); i++)
			json_add(bars, json_hex(dev->bars[i]));
		device = json_pack("{sssssssososososososIsIsosososo}",
				   "device", place(dev->segment, dev->bus, dev->devfn),
				   "name", pci_name_by_id(dev->vendor, dev->device),
				   "state",
				   dev->state == FRZ_DEVICE_FROZEN ? "frozen" : "preserved",
				   "vendor_id", json_hex(dev->vendor),
				   "device_id", json_hex(dev->device),
				   "subsystem_vendor_id", json_hex(dev->subsystem_vendor),
				   "subsystem_device_id", json_hex(dev->subsystem_device),
				   "class_revision", json_hex(dev->class_revision),
				   "header_type", json_hex(dev->hdr_type),
				   "domain", (u64)dev->domain,
				   "unit", (u64)dev->unit,
				   "stream", json_hex(dev->stream),
				   "command", json_hex(dev->command),
				   "bars", bars,
				   "bridges", bridges_json(dev));
		json_add(devices, device);
	}
	return devices;
}

static void units_print(const struct frz_blob *b, const json_t *units)
{
	const struct frz_abi_unit *unit = NULL;
	json_t *item;
	size_t i;

	json_array_foreach(units, i, item) {
		unit = frz_blob_next_unit(b, unit);
		printf("\nunit %zu     ", i);
		print_form("{kind}, segment {segment:4x}, registers at {reg_base}\n", item);
		backend_of_kind(unit->kind)->unit_print(item);
	}
}

static const char domain_form[] =
	"\ndomain {id}   unit {unit}, domain id {did}, {format}, {levels} levels, leaf levels {leaf_levels}\n"
	"  mapped   {mapped:b} in {extents} extents, {leaves} leaves, {tables} tables\n"
	"  digest   {digest}\n"
	"  top      {top}\n"
	"[  head     {head}\n]";
static const char chunk_form[] = "  chunk    {address}, {length:b}, {used:b} used\n";

#define BARS "{bars.0:8x} {bars.1:8x} {bars.2:8x} {bars.3:8x} {bars.4:8x} {bars.5:8x}"
static const char device_form[] =
	"\ndevice     {device} {name}\n"
	"  state    {state}, domain {domain}, unit {unit}, stream {stream}\n"
	"  ids      {vendor_id:4x}:{device_id:4x}, subsystem {subsystem_vendor_id:4x}:{subsystem_device_id:4x}, class {class_revision:8.6x}, revision {class_revision:-2x}\n"
	"  bars     " BARS ", command {command:4x}\n";
static const char bridge_form[] =
	"  bridge   {device}, buses {secondary:2x} to {subordinate:2x}\n";

static const char blob_form[] =
	"handover   version {blob.version}, {blob.length} bytes, %s, generation {blob.generation}\n"
	"  digest   {blob.digest}\n"
	"  holds    %u units, %u domains, %u devices\n";

static void decode_print(const struct frz_blob *b, size_t len, const json_t *body)
{
	print_form(print_text(blob_form, b->flags & FRZ_BLOB_FROZEN ? "frozen" : "not frozen",
			      b->nr_units, b->nr_domains, b->nr_devices), body);
	if (len > b->len)
		print_form("  behind   {blob.behind} bytes that are not part of it\n", body);
	units_print(b, json_object_get(body, "units"));
	print_each(domain_form, json_object_get(body, "domains"), "chunks", chunk_form);
	print_each(device_form, json_object_get(body, "devices"), "bridges", bridge_form);
}

/**
 * decode_memory - check a handover and print what it holds
 * @name: of its file, for messages
 * @data: handover, 8-byte aligned
 * @len: bytes of memory, may be more than the handover
 * @json: for programs
 *
 * Return: OUTCOME_FAILED when it is refused.
 */
enum outcome decode_memory(const char *name, const void *data, size_t len, bool json)
{
	const struct frz_abi_header *header = data;
	struct frz_blob_error err = {};
	struct frz_blob b;
	json_t *body;

	if (frz_blob_open(&b, data, len, &err))
		return say("%s: refused at offset 0x%zx: %s (value 0x%llx)", name, err.offset,
			   err.reason, err.value);
	body = must(json_pack("{s{sIsIsIsbsIso}sososo}", "blob",
			      "version", (u64)header->version,
			      "length", (u64)b.len,
			      "behind", (u64)(len - b.len),
			      "frozen", !!(b.flags & FRZ_BLOB_FROZEN),
			      "generation", b.generation,
			      "digest", json_digest(header->digest),
			      "units", units_json(&b),
			      "domains", domains_json(&b),
			      "devices", devices_json(&b)));
	if (json) {
		json_verb(verb_decode.name, body);
	} else {
		decode_print(&b, len, body);
		json_decref(body);
	}
	return OUTCOME_OK;
}

static enum outcome run_decode(const struct args *args)
{
	bool is_stdin = !strcmp(args->word, "-");
	const char *name = is_stdin ? "standard input" : args->word;
	FILE *file = is_stdin ? stdin : fopen(args->word, "re");
	u8 *buf = must(malloc(FRZ_MAX_BLOB_LEN + 1));
	enum outcome outcome;
	size_t len = 0;

	if (file)
		len = fread(buf, 1, FRZ_MAX_BLOB_LEN + 1, file);
	if (!file || ferror(file))
		outcome = say("%s: %s", name, strerror(errno));
	else if (len > FRZ_MAX_BLOB_LEN)
		outcome = say("%s: refused at offset 0x%x: longer than a handover can be", name,
			      FRZ_MAX_BLOB_LEN);
	else
		outcome = decode_memory(name, buf, len, args->json);
	if (file)
		fclose(file);
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
