#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Validates what iommu-freeze VERB --json printed.

validate.py [--verb VERB] FILE... ; exit 0 when all are valid, else 1 with one
line for each that is not. Debian's python3-jsonschema.
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


def main():
    parser = argparse.ArgumentParser(description="validate the output of iommu-freeze VERB --json")
    parser.add_argument("--verb", help="the verb that it has to be of")
    parser.add_argument("files", nargs="+", metavar="FILE")
    args = parser.parse_args()
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    bad = False
    for name in args.files:
        try:
            text = pathlib.Path(name).read_text(encoding="utf-8")
            data = json.loads(text, object_pairs_hook=refuse)
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
