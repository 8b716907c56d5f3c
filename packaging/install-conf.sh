#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# install-conf.sh FILE FOLDER: installs a configuration file, unless there is one already.
set -e
folder=${DESTDIR-}$2
if [ -e "$folder/${1##*/}" ]; then
	echo "keeping $folder/${1##*/}"
	exit 0
fi
mkdir -p "$folder"
cp "$1" "$folder/"
chmod 644 "$folder/${1##*/}"
echo "installing $folder/${1##*/}"
