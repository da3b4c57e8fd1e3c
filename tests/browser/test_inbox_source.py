"""The one module is joined from its sources, and what does not fit together is refused."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "deploy" / "clients" / "javascript"


@pytest.fixture(scope="module")
def joining() -> ModuleType:
    """`join.py`, which is a script beside the sources and no part of a package."""
    spec = importlib.util.spec_from_file_location("join_inbox", FOLDER / "join.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_what_is_served_is_what_the_sources_say(joining: ModuleType) -> None:
    assert joining.JOINED.read_text() == joining.join(), "run deploy/clients/javascript/join.py"


def test_sources_stay_small() -> None:
    assert all(len(path.read_text().splitlines()) <= 400 for path in (FOLDER / "src").glob("*.js"))


@pytest.mark.parametrize(
    ("sources", "says"),
    [
        ({"element.js": "const a = 1;\n", "alone.js": "const b = 1;\n"}, "nobody imports alone.js"),
        (
            {
                "element.js": 'import { a } from "./x.js";\nconst b = 1;\n',
                "x.js": "export const a = 1;\nconst b = 2;\n",
            },
            "b is declared",
        ),
        (
            {"element.js": 'import { c } from "./x.js";\n', "x.js": "export const a = 1;\nconst c = 2;\n"},
            "does not export c",
        ),
        (
            {
                "element.js": 'import { a } from "./x.js";\n',
                "x.js": 'import { b } from "./element.js";\nexport const a = 1;\n',
            },
            "is a circle",
        ),
    ],
)
def test_what_does_not_fit_is_refused(joining: ModuleType, sources: dict[str, str], says: str, tmp_path: Path) -> None:
    for name, text in sources.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(joining.JoinError, match=says):
        joining.join(tmp_path)


def test_only_what_is_public_is_exported(joining: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "element.js").write_text('import { a } from "./x.js";\nexport class InboxClient {}\n')
    (tmp_path / "x.js").write_text("export const a = 1;\n")
    joined = joining.join(tmp_path).removeprefix(joining.HEAD)
    assert joined == "\nconst a = 1;\n\nexport class InboxClient {}\n"
