"""The component's types, judged by the TypeScript compiler: strict, and against programs that use them rightly and wrongly."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.browser.npm import install

TYPESCRIPT = "5.9.3"
INBOX = Path(__file__).resolve().parents[2] / "deploy" / "static" / "carillon" / "inbox"
RIGHT = """
import { CarillonInbox, InboxClient, STRINGS, markdown, type Message } from "@carillon/inbox";

const inbox = new InboxClient({ recipient: "u1", getToken: async () => "token" });
inbox.addEventListener("change", ({ detail }) => {
  const message: Message = detail.message;
  if (detail.gone) console.log(message.id, message.acknowledged_at?.length);
  else document.body.append(markdown(message.body));
});
inbox.addEventListener("status", ({ detail }) => console.log(detail.status === "live" && detail.resumed));
const page = await inbox.list({ status: "unread", limit: 10 });
const done = await inbox.acknowledge(page.messages.map((each) => each.id));
await inbox.delete([page.messages[0]!.id]);
console.log(done.counts.unread + 1);
const element: CarillonInbox = document.querySelector("carillon-inbox")!;
element.strings = { title: STRINGS.title, bellUnread: { one: "{count} neue", other: "{count} neue" } };
element.client = inbox;
element.getToken = null;
"""
WRONG = {
    'import { Line } from "@carillon/inbox"; Line;': "TS2459 TS2305",
    'import { InboxClient } from "@carillon/inbox"; new InboxClient({});': "TS2345",
    'import { STRINGS } from "@carillon/inbox"; STRINGS.title = "x";': "TS2540",
    'const it = document.createElement("carillon-inbox"); import "@carillon/inbox"; it.isOpen = true;': "TS2540",
    'import { InboxClient } from "@carillon/inbox"; declare const c: InboxClient; c.list({ status: "none" });': "TS2322",
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A TypeScript project that has the package installed."""
    folder = tmp_path_factory.mktemp("typescript")
    install(folder, "typescript", TYPESCRIPT)
    shutil.copytree(INBOX, folder / "node_modules" / "@carillon" / "inbox")
    return folder


def compile_program(project: Path, text: str) -> str:
    (project / "program.mts").write_text(text)
    options = ["--noEmit", "--strict", "--noUncheckedIndexedAccess", "--skipLibCheck", "false", "--pretty", "false"]
    options += ["--target", "es2023", "--lib", "es2023,dom,dom.iterable", "--module", "nodenext"]
    command = [str(project / "node_modules" / ".bin" / "tsc"), *options, "program.mts"]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=180).stdout


def test_a_program_that_uses_all_of_it_compiles(project: Path) -> None:
    assert compile_program(project, RIGHT) == ""


@pytest.mark.parametrize("program", WRONG)
def test_what_is_wrong_is_refused(project: Path, program: str) -> None:
    said = compile_program(project, program)
    assert any(code in said for code in WRONG[program].split()), said
