#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Validates what iommu-freeze VERB --json printed.

validate.py [--verb VERB | --log] FILE... ; exit 0 when all are valid, else 1
with one line for each that is not. With --log the files are reports of tests/hil
and everything that looks like JSON in their tool_log has to be valid. Debian's
python3-jsonschema.
"""
import argparse
import json
import pathlib
import sys

import jsonschema

SCHEMA = pathlib.Path(__file__).resolve().parents[2] / "docs/iommu-freeze-json.schema.json"


def refuse(pairs):
    """json takes a key that comes twice; readers differ on it."""
    keys = [key for key, _ in pairs]
    if len(keys) != len(set(keys)):
        raise ValueError("a key twice in " + ", ".join(keys))
    return dict(pairs)


def logged(report):
    """What the tool printed as JSON among other lines: from '{' to '}'."""
    document = None
    for line in report["tool_log"]:
        if line == "{":
            document = []
        if document is not None:
            document.append(line)
            if line == "}":
                yield "\n".join(document)
                document = None
    if document is not None:
        yield "\n".join(document)


def main():
    parser = argparse.ArgumentParser(description="validate the output of iommu-freeze VERB --json")
    parser.add_argument("--verb", help="the verb that it has to be of")
    parser.add_argument("--log", action="store_true", help="the files are reports of tests/hil")
    parser.add_argument("files", nargs="+", metavar="FILE")
    args = parser.parse_args()
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    bad = False
    for name in args.files:
        try:
            text = pathlib.Path(name).read_text(encoding="utf-8")
            for document in logged(json.loads(text)) if args.log else [text]:
                data = json.loads(document, object_pairs_hook=refuse)
                validator.validate(data)
                if args.verb and data["verb"] != args.verb:
                    raise ValueError(f"verb is {data['verb']}, not {args.verb}")
        except jsonschema.ValidationError as error:
            print(f"{name}: {error.json_path}: {error.message}", file=sys.stderr)
            bad = True
        except (OSError, ValueError) as error:
            print(f"{name}: {error}", file=sys.stderr)
            bad = True
    return 1 if bad else 0


sys.exit(main())
