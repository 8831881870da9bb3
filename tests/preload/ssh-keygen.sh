#!/bin/sh
# SPDX-License-Identifier: MIT
#
# ssh-keygen: keys of each type, signatures and certificates. Keys are random, so what one side
# makes with the library the other side checks without it, and the other way round.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

need ssh-keygen openssh-client
bound ssh-keygen

cd "$data" || exit 1
echo "a message" >message

# fingerprints FILE: of the private key without the library, and of its public half with it
fingerprints()
{
	plain ssh-keygen -y -f "$1" >"$1.again"
	plain ssh-keygen -l -f "$1.again" | cut -d' ' -f1,2 >want
	kmalloc ssh-keygen -l -f "$1.pub" 2>err | cut -d' ' -f1,2 >got
	quiet err && test -s want && cmp want got
}

sign()
{
	rm -f message.sig
	"$1" ssh-keygen -q -Y sign -n file -f "$2" message 2>err && quiet err
}

verify()
{
	echo "me $(cat "$2.pub")" >allowed
	"$1" ssh-keygen -Y verify -n file -I me -f allowed -s message.sig <message
}

wrong()
{
	echo "another message" |
		kmalloc ssh-keygen -Y verify -n file -I me -f allowed -s message.sig
	test $? = 255
}

convert()
{
	kmalloc ssh-keygen -e -f "$1.pub" >other && kmalloc ssh-keygen -i -f other >back &&
		test "$(cut -d' ' -f2 back)" = "$(cut -d' ' -f2 "$1.pub")"
}

valid()
{
	plain ssh-keygen -L -f "$1" | grep 'Key ID: "id"'
}

hashed()
{
	seq -f "host%g $(cut -d' ' -f1,2 ca.pub)" 300 >hosts &&
		kmalloc ssh-keygen -q -H -f hosts 2>err && quiet err &&
		! grep host hosts && plain ssh-keygen -F host77 -f hosts
}

for type in ed25519 ecdsa rsa; do
	try "$type: generate" kmalloc ssh-keygen -q -t $type -N '' -C test -f "$type"
	cp "$scratch/try" "$log/generate"
	try "$type: nothing complained" quiet "$log/generate"
	try "$type: fingerprint" fingerprints "$type"
	try "$type: sign" sign kmalloc "$type"
	try "$type: verified without the library" verify plain "$type"
	try "$type: sign without the library" sign plain "$type"
	try "$type: verified with it" verify kmalloc "$type"
	try "$type: a wrong message is refused" wrong
	try "$type: set a passphrase" kmalloc ssh-keygen -q -p -P '' -N secret -a 4 -f "$type"
	try "$type: the passphrase opens it" plain ssh-keygen -y -P secret -f "$type"
	try "$type: to another format and back" convert "$type"
done
ssh-keygen -q -t ed25519 -N '' -f ca
try "a certificate" kmalloc ssh-keygen -q -s ca -I id -n me -V +1d ed25519.pub
try "is valid without the library" valid ed25519-cert.pub
try "a file of hosts is hashed" hashed
done_testing
