#!/usr/bin/env python3
"""Writes a .cc with pages of docs/ for `gyre help PAGE`: embed_pages.py docs out.cc page.md...; a page's title is its first heading."""
import os
import re
import sys

root, out, *pages = sys.argv[1:]
lines = ['#include "cli/help_pages.h"', '', 'namespace gyre::cli {', 'namespace {', '', 'constexpr HelpPage kPages[] = {']
for page in sorted(pages, key=lambda p: (not os.path.relpath(p, root).startswith('guide/'), p)):  # guides first
    text = open(page, encoding='utf-8').read()
    name = os.path.relpath(page, root)[:-len('.md')].lower()
    lines.append(f'    {{"{name}", R"page({re.match(r"# (.*)", text)[1]})page", R"page({text})page"}},')
lines += ['};', '', '}  // namespace', '', 'std::span<const HelpPage> HelpPages() { return kPages; }', '', '}  // namespace gyre::cli', '']
open(out, 'w', encoding='utf-8').write('\n'.join(lines))
