# SPDX-License-Identifier: MIT
# What kmalloc-bench needs, included by configure.ac: a JSON library to build it, gnuplot at run
# time for the plots of the HTML report (the report goes without them where it is missing).
PKG_CHECK_MODULES([JANSSON], [jansson >= 2.10], [have_jansson=yes], [have_jansson=no])
AS_IF([test "x$have_jansson" = xno],
	[AC_MSG_NOTICE([jansson not found: kmalloc-bench will not be built (Debian: libjansson-dev)])])
AM_CONDITIONAL([BUILD_BENCH], [test "x$have_jansson" = xyes])
AC_PATH_PROG([GNUPLOT], [gnuplot], [gnuplot])
