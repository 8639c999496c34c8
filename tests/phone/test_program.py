"""What of the page needs no browser is tested in Node: `npm test` in `examples/phone`."""

import shutil
import subprocess

from running import PHONE_PAGE, miss


def test_the_program_of_the_page_passes_its_own_tests():
    if shutil.which("npm") is None or not (PHONE_PAGE / "node_modules").is_dir():
        miss("needs Node and the packages of the page: make page")
    run = subprocess.run(["npm", "test"], cwd=PHONE_PAGE, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "# fail 0" in run.stdout
