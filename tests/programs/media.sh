#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Pictures, sound, documents: ImageMagick, ffmpeg, Ghostscript, pdftotext, pandoc, groff.

# shellcheck disable=SC2016 # what is in single quotes is for another program
# shellcheck source-path=SCRIPTDIR source=programs.sh
. "${0%/*}/programs.sh"

if program convert imagemagick; then
	same "convert: plasma, blur, quantise, resize" convert -seed 5 -size 600x400 plasma:blue-red \
		-blur 0x3 -colors 64 -resize 300x -depth 8 ppm:-
	same "convert: png and back" sh -c \
		'convert -seed 5 -size 300x200 plasma: a.png && convert a.png -rotate 90 -depth 8 ppm:- | cksum'
fi

if program ffmpeg ffmpeg; then
	same "ffmpeg: generate, filter, encode in threads, decode" sh -c '
		ffmpeg -v error -nostdin -f lavfi -i testsrc=size=320x240:rate=10:duration=3 \
			-vf "hue=s=2,boxblur=2" -threads 4 -c:v mpeg4 -bitexact -y a.avi &&
		ffmpeg -v error -nostdin -i a.avi -f framemd5 -bitexact -'
	same "ffmpeg: sound" ffmpeg -v error -nostdin -f lavfi -i sine=440:duration=5 -af aecho=0.8:0.9:60:0.3 \
		-bitexact -f md5 -
fi

cat >"$data/a.ps" <<'END'
%!PS
/Helvetica findfont 12 scalefont setfont
1 1 20 { /n exch def 1 1 50 { /k exch def k 10 mul n 30 mul moveto n k mul 20 string cvs show } for
n 20 div setgray 100 n 30 mul n 5 mul 0 360 arc stroke showpage } for
END
if program gs ghostscript; then
	same "gs: twenty pages as pictures" gs -q -dSAFER -dBATCH -dNOPAUSE -sDEVICE=pgmraw -r40 \
		-sOutputFile=- "$data/a.ps"
	same "gs: PDF and back" sh -c 'gs -q -dSAFER -dBATCH -dNOPAUSE -sDEVICE=pdfwrite -sOutputFile=a.pdf "$0" &&
		gs -q -dSAFER -dBATCH -dNOPAUSE -sDEVICE=pgmraw -r30 -sOutputFile=- a.pdf | cksum' "$data/a.ps"
fi
if has gs && program pdftotext poppler-utils; then
	same "pdftotext" sh -c 'gs -q -dSAFER -dBATCH -dNOPAUSE -sDEVICE=pdfwrite -sOutputFile=a.pdf "$0" &&
		pdftotext a.pdf - | cksum' "$data/a.ps"
fi

if program pandoc pandoc; then
	same "pandoc: a manual page to HTML" sh -c \
		'pandoc -f markdown -t html "$0" && pandoc -f markdown -t latex "$0" | cksum' "$KM_SRC/README.md"
fi

if program groff groff-base; then
	same "groff: the library's manual" groff -mdoc -Tutf8 "$KM_SRC/man/libkmalloc.7"
fi
done_testing
