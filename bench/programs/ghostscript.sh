#!/bin/sh
# SPDX-License-Identifier: MIT
# ghostscript.sh: ghostscript renders generated pages to pixels.
# what: ghostscript: pages with curves, gradients and text to pixels

prepare() {
	need gs ghostscript
	n=$(count 6)
	cat >"$KB_DIR/work.ps" <<PS
%!PS
/Helvetica findfont 9 scalefont setfont
1 1 $n {
	/page exch def
	0 1 60 { /i exch def
		i 60 div dup page 10 div exch 0.5 setrgbcolor
		newpath 300 400 moveto
		i 9 mul 20 i 11 mul 700 i 7 mul page 40 mul curveto fill
	} for
	0 1 70 { /i exch def
		0 setgray 40 760 i 10 mul sub moveto
		(page ) show page 10 string cvs show ( line ) show i 10 string cvs show
	} for
	showpage
} for
PS
	render "$KB_DIR/work.ps" "$KB_DIR/expected" gs
}

render() {
	in=$1 out=$2
	shift 2
	"$@" -q -dSAFER -dBATCH -dNOPAUSE -sDEVICE=ppmraw -r100 -dTextAlphaBits=4 \
		-dGraphicsAlphaBits=4 "-sOutputFile=$out" "$in"
}

run() {
	render work.ps result bench gs
	same result expected
}

# shellcheck source=bench/programs/common.inc
. "$(dirname "$0")/common.inc"
main "$@"
