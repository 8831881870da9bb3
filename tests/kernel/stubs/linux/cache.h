/* SPDX-License-Identifier: MIT */
#define L1_CACHE_BYTES	64
