# For expect: what iommu-freeze named as being in the way, without the way out.
def findings: [.tool_log[] | select(test("^(host|/boot/[a-zA-Z]*|0000:..:..\\..): "))] | map(sub("; .*"; ""));
