#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Stands in for the unit, API and death tests where they could not be built.

# shellcheck source=tests/tap.sh
. "${0%/*}/tap.sh"
skip_all 'built without Criterion (Debian: libcriterion-dev): no unit, API and death tests'
