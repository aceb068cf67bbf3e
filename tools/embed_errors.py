#!/usr/bin/env python3
"""Writes a .cc with the entries of docs/errors.md: embed_errors.py docs/errors.md out.cc"""
import re
import sys

source, out = sys.argv[1:]
entries = {}
for block in re.split(r'^(?=#)', open(source, encoding='utf-8').read(), flags=re.M):
    match = re.match(r'## (GY\d{4})\b', block)
    if match:
        entries[match[1]] = block[3:].strip()
lines = ['#include "cli/error_guide.h"', '', 'namespace gyre::cli {', 'namespace {', '', 'struct Entry {', '  std::string_view code, text;', '};',
         'constexpr Entry kEntries[] = {', '    {"GY0000", ""},']
lines += [f'    {{"{code}", R"guide({text})guide"}},' for code, text in sorted(entries.items())]
lines += ['};', '', '}  // namespace', '', 'std::string_view ErrorGuide(std::string_view code) {', '  for (const Entry& entry : kEntries) {',
          '    if (entry.code == code) return entry.text;', '  }', '  return {};', '}', '', '}  // namespace gyre::cli', '']
open(out, 'w', encoding='utf-8').write('\n'.join(lines))
