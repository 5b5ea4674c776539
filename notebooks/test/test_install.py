"""What install.sh answers to a user who asks, or mistypes, and what uninstall takes away."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "install.sh"


def install(*arguments, script=SCRIPT, **environment):
    return subprocess.run(
        [script, *arguments], capture_output=True, text=True, timeout=60, env={**os.environ, **environment}
    )


def test_help():
    done = install("help")
    assert done.returncode == 0 and done.stderr == ""
    for word in ("lab", "test", "bench", "uninstall", "--prefix"):
        assert word in done.stdout


def test_an_unknown_word_names_the_remedy():
    done = install("instal")
    assert done.returncode != 0
    assert "instal" in done.stderr and "./install.sh help" in done.stderr


def test_the_doctor_needs_a_build(checkout):
    done = install("doctor", script=checkout / "checkout/install.sh")
    assert done.returncode != 0 and "Run ./install.sh" in done.stderr


def test_a_prefix_needs_a_folder():
    done = install("--prefix")
    assert done.returncode != 0 and "--prefix DIR" in done.stderr


@pytest.fixture
def checkout(tmp_path):
    """A checkout with something in all that uninstall removes, and a home of its own."""
    for folder in ("checkout/.build/bin", "checkout/.venv/bin", "home/.cache/attune/cells", "home/.cache/other"):
        (tmp_path / folder).mkdir(parents=True)
    shutil.copy(SCRIPT, tmp_path / "checkout")
    return tmp_path


def spec(share):
    folder = share / "jupyter" / "kernels" / "attune"
    folder.mkdir(parents=True)
    (folder / "kernel.json").write_text("{}")
    (folder.parent / "other").mkdir()
    return folder


def uninstalled(checkout, folder, *scope, **environment):
    for name in ("XDG_DATA_HOME", "XDG_CACHE_HOME", "JUPYTER_DATA_DIR", "JUPYTER_PATH"):
        environment.setdefault(name, "")
    done = install("uninstall", *scope, script=checkout / "checkout/install.sh", HOME=str(checkout / "home"), **environment)
    assert done.returncode == 0, done.stderr
    assert str(folder) in done.stdout
    assert not folder.exists() and (folder.parent / "other").exists()
    assert sorted(p.name for p in (checkout / "checkout").iterdir()) == ["install.sh"]
    assert sorted(p.name for p in (checkout / "home/.cache").iterdir()) == ["other"]


def test_uninstall_for_the_user(checkout):
    uninstalled(checkout, spec(checkout / "home/.local/share"))


def test_uninstall_from_a_prefix(checkout):
    prefix = checkout / "a prefix"
    uninstalled(checkout, spec(prefix / "share"), "--prefix", str(prefix))


@pytest.fixture
def environment(tmp_path):
    """A Python environment of its own with this one's packages."""
    folder = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    python = folder / "bin" / "python"
    site = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], check=True, capture_output=True, text=True
    ).stdout.strip()
    (Path(site) / "these.pth").write_text(f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n")
    for name, module in [("jupyter", "jupyter_core.command"), ("jupyter-lab", "jupyterlab.labapp"), ("jupyter-nbconvert", "nbconvert.nbconvertapp")]:
        program = folder / "bin" / name
        program.write_text(f"#!{python}\nimport sys\nfrom {module} import main\nsys.exit(main())\n")
        program.chmod(0o755)
    return folder


def test_uninstall_from_an_environment(checkout, environment):
    path = f"{environment / 'bin'}:{os.environ['PATH']}"
    uninstalled(checkout, spec(environment / "share"), "--sys-prefix", PATH=path)


def test_install_into_an_environment(environment):
    attune = ROOT / ".build" / "bin" / "attune"
    if not attune.exists():
        pytest.skip("attune is not built: run ./install.sh")
    path = f"{environment / 'bin'}:{os.environ['PATH']}"
    done = subprocess.run([attune, "install", "--sys-prefix"], capture_output=True, text=True, env={**os.environ, "PATH": path})
    assert done.returncode == 0, done.stderr
    assert (environment / "share/jupyter/kernels/attune/kernel.json").exists()
