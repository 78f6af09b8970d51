"""Wheels made by hand, for what installs them: no index is asked and nothing is built."""

import zipfile

PROGRAM = """
import os, sys, pathlib

def main():
    word = sys.argv[1]
    if word == "warm":
        folder = pathlib.Path(os.environ["NUMBA_CACHE_DIR"])
        (folder / "kernel.nbi").write_text("compiled")
        sys.exit({warm})
    print("{version}", *sys.argv[1:], os.environ.get("NUMBA_CACHE_DIR", ""), sep="|")
    sys.exit({check} if word == "check" else 0)
"""


def stand_in(folder, version, *, check=0, warm=0):
    """Write a wheel named stockgate whose command notes what it is asked; return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    info = f"stockgate-{version}.dist-info"
    files = {
        "stand_in.py": PROGRAM.format(version=version, check=check, warm=warm),
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: stockgate\nVersion: {version}\nProvides-Extra: edge\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": "[console_scripts]\nstockgate-edge = stand_in:main\n",
    }
    with zipfile.ZipFile(folder / f"stockgate-{version}-py3-none-any.whl", "w") as wheel:
        for name, text in files.items():
            wheel.writestr(name, text)
        wheel.writestr(f"{info}/RECORD", "".join(f"{name},,\n" for name in (*files, f"{info}/RECORD")))
    return folder
