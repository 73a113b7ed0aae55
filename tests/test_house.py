"""Style that matters is a test: who may import whom, what may not be called where, and how long things may get."""

import ast
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGES = ("schemas", "shared", "services", "cli", "bench", "tests")

FILES = sorted(
    path.relative_to(ROOT)
    for package in PACKAGES
    for path in (ROOT / package).rglob("*.py")
    if "__pycache__" not in path.parts
)
CODE = [path for path in FILES if path.parts[0] != "tests"]

# What each room may import of the house. A service may import itself, the wire, and what is shared.
MAY_IMPORT = {
    "schemas": {"schemas"},
    "shared": {"schemas", "shared"},
    "services": {"schemas", "shared", "services"},
    "cli": {"schemas", "shared", "services", "cli"},
    "bench": {*PACKAGES},
}

READ_ALL = {"schemas/generate.py", "services/registry.py"}
"""The one reads the settings and the edge to describe them, the other names the services."""

# Each of these libraries has one door: a file, or all of a folder.
DOORS = {
    "motor": {"shared/runtime/journal.py"},
    "aiokafka": {
        "shared/runtime/broker.py",
        "shared/runtime/kafka.py",
        "shared/runtime/topics.py",
        "shared/runtime/groups.py",
        "shared/runtime/codecs.py",
        "shared/runtime/heads.py",
        "shared/embedded/kafka.py",
        "cli/commands/tail.py",
        "cli/commands/topics.py",
    },
    "pymongo": {
        "shared/runtime/availability.py",
        "shared/runtime/journal.py",
        "shared/runtime/aging.py",
        "shared/runtime/archive.py",
        "cli/rebuild/store.py",
        "shared/embedded/mongo.py",
        "services/edge/views/",
        "services/edge/auth/lockouts.py",
        "services/edge/auth/store.py",
        "cli/commands/dead_letters.py",
    },
    "jwt": {"services/edge/auth/tokens.py"},
    "cryptography": {"services/edge/auth/key_encryption.py"},
    "faststream": {
        "shared/runtime/consumer.py",
        "shared/runtime/requests.py",
        "shared/runtime/app.py",
        "shared/runtime/assigned.py",
        "services/edge/bus/commands.py",
        "services/edge/views/feeds.py",
    },
}

STATEFUL = {path.parts[1] for path in CODE if path.parts[0] == "services" and path.name == "decider.py"}
"""Services that decide."""

BANNED_IN_PURE = {
    "now",
    "utcnow",
    "today",
    "time",
    "time_ns",
    "monotonic",
    "uuid4",
    "uuid7",
    "new_id",
    "random",
    "now_ms",
}

# The only files that print: everything else says what it says through them, so that no text reaches a terminal raw.
PRINTING = {
    *("cli/commands/output.py", "cli/commands/console.py", "cli/commands/progress.py"),
    *(
        "shared/embedded/__main__.py",
        "cli/commands/up.py",
        "cli/demo/run.py",
        "cli/demo/play.py",
    ),
}

# What the house does, and no process needs to know: names of services, and words of their rules.
SERVICE_NAMES = {path.name for path in (ROOT / "services").iterdir() if path.is_dir()} - {"edge", "__pycache__"}
_RULES_SPEAK_OF = [
    "account",
    "basket",
    "campaign",
    "giftcard",
    "loyalty",
    "order_number",
    "programme",
    "receipt",
    "redeem",
    "redemption",
    "tier",
]
BUSINESS_WORD = re.compile(rf"(?<![a-z])(?<!crash )({'|'.join({*SERVICE_NAMES, *_RULES_SPEAK_OF})})", re.IGNORECASE)
SHARED_MAY_SAY = {
    ("shared/ids.py", "account"): "all services derive the id of an account from its number",
    ("shared/ids.py", "giftcard"): "the edge and the service derive the id of a mutation from its caller's",
    ("shared/settings.py", "customer"): "one settings object has the settings of all services",
}

MODULE = re.compile(rf"({'|'.join(PACKAGES)})(\.[a-z_]+)+")

# Ratchets: they may be lowered, never raised.
LINES_MAX = 300
FUNCTION_LINES_MAX = 70


def every(paths: Sequence[Path]) -> Callable[[Callable[[Path], None]], Callable[[], None]]:
    """Make of a check of one file a test of all these, which tells everything that is wrong in any of them."""

    def test_of(check: Callable[[Path], None]) -> Callable[[], None]:
        def test() -> None:
            wrong = []
            for path in paths:
                try:
                    check(path)
                except AssertionError as fault:
                    wrong.append(str(fault))
            assert not wrong, "\n".join(wrong)

        return test

    return test_of


def tree(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text())


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, wherever in it; by name, too: what looks like a module of the house is one."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and MODULE.fullmatch(node.value):
            yield node.value
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: relative imports hide the room"
            yield node.module


@every(CODE)
def test_import_directions(path: Path) -> None:
    room = path.parts[0]
    for module in imports(path):
        top = module.split(".")[0]
        if top not in PACKAGES or str(path) in READ_ALL:
            continue
        assert top in MAY_IMPORT[room], f"{path} imports {module}"
        if room == top == "services":
            assert module.split(".")[1] == path.parts[1], f"{path} imports another service"


def business_words(path: Path) -> set[str]:
    """Words of the services' rules in a file, in names, texts and comments alike."""
    return {found.group(1).lower() for found in BUSINESS_WORD.finditer((ROOT / path).read_text())}


def test_shared_knows_no_business_word() -> None:
    said = {(str(path), word) for path in CODE if path.parts[0] == "shared" for word in business_words(path)}
    assert said == SHARED_MAY_SAY.keys(), "it belongs to schemas/, a service or cli/; what is not said needs no leave"


def test_business_words_are_found() -> None:
    assert business_words(Path("services/points/changes.py")) >= {"account", "programme", "points"}
    assert business_words(Path("services/voucher/issuing.py")) >= {"voucher"}
    assert not business_words(Path("shared/backoff.py"))


@every([path for path in CODE if path.parts[0] != "bench"])
def test_each_driver_has_one_door(path: Path) -> None:
    for module in imports(path):
        doors = DOORS.get(module.split(".")[0])
        assert doors is None or str(path).startswith(tuple(doors)), f"{path} imports {module}"


def is_pure(path: Path) -> bool:
    """All of a service that decides, but its wiring."""
    return path.parts[1] in STATEFUL and path.name != "main.py"


@every(
    [
        Path("shared/calendar.py"),
        *(
            path
            for path in CODE
            if path.parts[0] == "services" and path.parts[1] in STATEFUL and path.name != "main.py"
        ),
    ]
)
def test_the_domain_reads_no_clock_and_draws_no_numbers(path: Path) -> None:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", None)
            assert called not in BANNED_IN_PURE, f"{path}:{node.lineno} calls {called}"
        assert not isinstance(node, ast.AsyncFunctionDef | ast.Await), f"{path}:{node.lineno} does I/O"


@every([path for path in CODE if path.parts[0] in ("shared", "cli")])
def test_what_is_printed_is_made_printable(path: Path) -> None:
    if str(path) in PRINTING:
        return
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            assert called not in ("print", "typer.echo", "typer.secho", "Console", "sys.stdout.write"), (
                f"{path}:{node.lineno} prints by {called}: use say, show, facts or print_json of cli.commands.output"
            )


@every(FILES)
def test_rooms_stay_small(path: Path) -> None:
    lines = (ROOT / path).read_text().count("\n")
    assert lines <= LINES_MAX, f"{path} has {lines} lines"
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            assert length <= FUNCTION_LINES_MAX, f"{path}:{node.lineno} {node.name} has {length} lines"


@every(CODE)
def test_public_things_say_what_they_are(path: Path) -> None:
    module = tree(path)
    assert path.name == "__main__.py" or ast.get_docstring(module), f"{path} has no docstring"
    for node in module.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{path}:{node.lineno} {node.name} has no docstring"


def test_the_worked_example_of_the_architecture_is_the_code() -> None:
    (example,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "architecture.md").read_text(), re.DOTALL)
    assert example in (ROOT / "services/edge/families/v1/vouchers.py").read_text()
