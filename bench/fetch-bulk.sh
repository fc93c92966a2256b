#!/bin/sh
# Fetches real pages in bulk for load tests: the HTML of Debian documentation packages, as WARC files.
#
#   bench/fetch-bulk.sh [-o FOLDER] [-n PAGES] [PACKAGE...]
#
# FOLDER is ./bulk where not given; -n takes that many pages of each package, evenly spread. The default packages hold
# about 46,000 pages, 800 MiB of HTML in English and Chinese, in a download of 46 MiB. What was fetched before is not fetched
# again. It needs a Debian or a system derived from it (apt-get, dpkg-deb), and Go.
set -eu

out=bulk
pages=0
while getopts o:n: flag; do
	case $flag in
	o) out=$OPTARG ;;
	n) pages=$OPTARG ;;
	*) exit 2 ;;
	esac
done
shift $((OPTIND - 1))
[ $# -gt 0 ] || set -- rust-doc openjdk-17-doc libreoffice-help-zh-cn libreoffice-help-zh-tw python3.11-doc postgresql-doc-15

mkdir -p "$out"
out=$(cd "$out" && pwd)
cd "$(dirname "$0")/.."
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT INT TERM
chmod 755 "$temp"

fetch() { (cd "$temp" && apt-get download -qq -o APT::Sandbox::User=root "$1"); }

for package; do
	done="$out/.$package.$pages"
	if [ -e "$done" ]; then
		echo "$package: already in $out" >&2
		continue
	fi
	rm -f "$out/$package"-[0-9]*.warc.gz "$out/.$package".*
	fetch "$package" 2>/dev/null || { apt-get update -qq && fetch "$package"; }
	dpkg-deb -x "$temp/${package}"_*.deb "$temp/$package"
	go run ./bench/pack -out "$out" -max-docs "$pages" "$temp/$package"
	rm -rf "$temp/$package" "$temp/$package"_*.deb
	: >"$done"
done
