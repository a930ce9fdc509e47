"""Reads imports and words out of a tree of sources and holds them against a table, whatever the table says."""

import ast
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Row:
    """What a module that matches `of` may import. `{package}` and `{family}` stand for the importing module's own.

    In a pattern `*` is anything within one part of a dotted name, and a last `.**` is the module itself and all below.
    """

    of: str
    may: tuple[str, ...]
    libraries: tuple[str, ...] = ("**",)


@dataclass(frozen=True, slots=True)
class Table:
    ours: tuple[str, ...]
    rows: tuple[Row, ...]
    only_by: dict[str, tuple[str, ...]]
    may_compute_imports: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Import:
    by: str
    file: str
    line: int
    target: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line} {self.by} imports {self.target}"


COMPUTED = "what only the running program knows"


def violations(tree: Path, table: Table) -> list[str]:
    return [str(found) for found in imports_of(tree, table.ours) if not is_allowed(found, table)]


def is_allowed(found: Import, table: Table) -> bool:
    if found.target == COMPUTED:
        return any(covers(pattern, found.by) for pattern in table.may_compute_imports)
    keepers = [by for target, by in table.only_by.items() if covers(target, found.target)]
    if any(not covers_one(by, found.by) and not is_own(found) for by in keepers):
        return False
    row = next((row for row in table.rows if covers(row.of, found.by)), None)
    if row is None:
        return False
    if found.target.split(".")[0] in table.ours:
        return covers_one(own_names(row.may, found.by), found.target)
    return is_standard(found.target) or covers_one(row.libraries, found.target)


def is_own(found: Import) -> bool:
    """A package that few may import may always import itself."""
    return found.by.split(".")[:2] == found.target.split(".")[:2]


def is_standard(module: str) -> bool:
    return module.split(".")[0] in sys.stdlib_module_names


def own_names(patterns: Sequence[str], module: str) -> list[str]:
    parts = module.split(".")
    package = ".".join(parts[:2])
    family = parts[2].split("_")[0] if len(parts) > 2 else ""
    return [pattern.format(package=package, family=family) for pattern in patterns]


def covers_one(patterns: Sequence[str], module: str) -> bool:
    return any(covers(pattern, module) for pattern in patterns)


def covers(pattern: str, module: str) -> bool:
    if pattern == "**":
        return True
    stem, below = (pattern[:-3], r"(\..+)?") if pattern.endswith(".**") else (pattern, "")
    return re.fullmatch(re.escape(stem).replace(r"\*", r"[^.]*") + below, module) is not None


# ---- reading ---------------------------------------------------------------------------------------------------------


def imports_of(tree: Path, packages: Sequence[str]) -> Iterator[Import]:
    """Every import below the packages: in functions, under TYPE_CHECKING, relative, and by `import_module("…")` too."""
    modules = {dotted(file, tree): file for package in packages for file in sorted((tree / package).rglob("*.py"))}
    for name, file in modules.items():
        here = str(file.relative_to(tree))
        for node in ast.walk(ast.parse(file.read_text(), here)):
            for target in targets(node, name, file.name == "__init__.py", modules.__contains__):
                yield Import(name, here, getattr(node, "lineno", 0), target)


def dotted(file: Path, tree: Path) -> str:
    parts = file.relative_to(tree).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def targets(node: ast.AST, name: str, is_package: bool, is_module: Callable[[str], bool]) -> Iterator[str]:
    match node:
        case ast.Import(names=names):
            yield from (alias.name for alias in names)
        case ast.ImportFrom(module=module, names=names, level=level):
            base = absolute(module or "", name, is_package, level)
            for alias in names:
                yield below if is_module(below := f"{base}.{alias.name}") else base
        case ast.Call(func=ast.Name(id="import_module" | "__import__") | ast.Attribute(attr="import_module")):
            yield from called(node)


def called(node: ast.Call) -> Iterator[str]:
    match node.args:
        case [ast.Constant(value=str(target)), *_]:
            yield target
        case _:
            yield COMPUTED


def absolute(module: str, name: str, is_package: bool, level: int) -> str:
    if level == 0:
        return module
    parts = name.split(".")
    above = parts[: len(parts) - level + (1 if is_package else 0)]
    return ".".join([*above, module] if module else above)


def keys_of(file: Path, name: str) -> list[str]:
    """The string keys of a dictionary that a module holds under a name."""
    for node in ast.parse(file.read_text()).body:
        match node:
            case ast.AnnAssign(target=ast.Name(id=found), value=ast.Dict(keys=keys)) if found == name:
                return [key.value for key in keys if isinstance(key, ast.Constant) and isinstance(key.value, str)]
    raise LookupError(f"{file} holds no dictionary {name}")


# ---- words -----------------------------------------------------------------------------------------------------------


def lines_with(tree: Path, folders: Sequence[str], patterns: Sequence[str]) -> list[str]:
    """Where one of the patterns stands in a source: in code, strings, docstrings or comments."""
    looked_for = re.compile("|".join(patterns))
    return [
        f"{file.relative_to(tree)}:{number} {line.strip()}"
        for folder in folders
        for file in sorted((tree / folder).rglob("*.py"))
        for number, line in enumerate(file.read_text().splitlines(), start=1)
        if looked_for.search(line)
    ]
