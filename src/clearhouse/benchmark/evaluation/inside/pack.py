"""Pack a folder: ``pack.py FOLDER ARCHIVE`` writes a plain tar of its regular files.

What cannot be packed is said; what is packed is checked by whoever takes it.
"""

import os
import sys
import tarfile

MOST = 15 << 20


def main() -> None:
    """Pack it."""
    folder, archive = sys.argv[1:3]
    if not os.path.isdir(folder):
        sys.exit("it is no folder")
    total = 0
    with tarfile.open(archive, "w", format=tarfile.USTAR_FORMAT) as packed:
        for place, folders, names in os.walk(folder):
            folders[:] = sorted(set(folders) - {"__pycache__", ".git"})
            for name in sorted(names):
                path = os.path.join(place, name)
                total += os.lstat(path).st_size
                if total > MOST:
                    sys.exit(f"it is larger than {MOST >> 20} MiB")
                packed.add(path, os.path.relpath(path, folder), recursive=False)


main()
