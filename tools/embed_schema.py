#!/usr/bin/env python3
"""Writes a .cc with a module's migrations: embed_schema.py ml/tracking out.cc schema/0001_init.sql ...

The function is gyre::<Module>Schema() in the module's namespace, for example gyre::tracking::TrackingSchema()."""
import os
import re
import sys

module, out, *files = sys.argv[1:]
namespace = module.split('/')[-1]
function = ''.join(w.capitalize() for w in namespace.split('_')) + 'Schema'
lines = ['#include "platform/db/schema.h"', '', f'namespace gyre::{namespace} {{', '', 'namespace {', 'constexpr db::Migration kMigrations[] = {']
for i, path in enumerate(files, 1):
    name = os.path.basename(path)
    match = re.fullmatch(r'(\d{4})_(\w+)\.sql', name)
    if not match or int(match[1]) != i:
        sys.exit(f'{path}: migrations are named NNNN_name.sql and numbered without gaps; expected number {i:04d}')
    lines.append(f'    {{{i}, "{match[2]}", R"sql({open(path).read()})sql"}},')
lines += ['};', '}  // namespace', '', f'db::ModuleSchema {function}() {{ return {{"{module}", kMigrations}}; }}', '', f'}}  // namespace gyre::{namespace}', '']
text = '\n'.join(lines)
open(out, 'w').write(text)
