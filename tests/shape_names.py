"""Shapes in names are true: while tests run, every function of Hornbook is checked when it returns.

A local variable whose name ends in capital letters (`x_BTD`) must have that many dimensions; equal letters must have
equal sizes within one call; every letter must stand in the table of docs/glossary.md. Values without `.shape` (lists,
None) are not looked at.

How: an import hook compiles the modules that have such names with a check in front of every `return` of the functions
that have them. Other modules load as ever, nothing is slower there, and threads are covered too. Inside compiled
functions the check is skipped (torch.compiler.is_compiling), so that graphs stay what they are.
"""

import ast
import importlib.abc
import importlib.machinery
import importlib.util
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

NAME = re.compile(r"^[a-z][a-z0-9_]*_([A-Z]+)$")
SUFFIX = re.compile(rb"\b[a-z][a-z0-9_]*_[A-Z]+\b")
GLOSSARY = Path(__file__).parents[1] / "docs" / "glossary.md"
CHECK, COMPILING = "__check_shapes__", "__is_compiling__"
Function = ast.FunctionDef | ast.AsyncFunctionDef


class ShapeNameError(AssertionError):
    """A name says a shape that its value does not have."""


def letters() -> dict[str, str]:
    """The table of shape letters in the glossary: rows such as `| B | batch |`."""
    return dict(re.findall(r"^\| `?([A-Z])`? \| ([^|]+?) \|", GLOSSARY.read_text("utf-8"), re.MULTILINE))


def problems(values: dict[str, Any], known: frozenset[str]) -> list[str]:
    """What is untrue about the names of these local variables."""
    found: list[str] = []
    sizes: dict[str, tuple[int, str]] = {}
    for name, value in values.items():
        match = NAME.match(name)
        shape = getattr(value, "shape", None)
        if match is None or not isinstance(shape, tuple):
            continue
        said = match[1]
        unknown = sorted(set(said) - known)
        if unknown:
            found.append(f"{name}: {', '.join(unknown)} is not a letter of docs/glossary.md")
        elif len(shape) != len(said):
            found.append(f"{name} says {len(said)} dimensions and has {len(shape)}: {tuple(shape)}")
        else:
            for letter, size in zip(said, shape, strict=True):
                first, where = sizes.setdefault(letter, (size, name))
                if first != size:
                    found.append(f"{letter} is {first} in {where} and {size} in {name}: {tuple(shape)}")
    return found


def checker(known: frozenset[str]) -> Callable[[dict[str, Any], str], None]:
    """The function that is called in front of every return: raises ShapeNameError."""

    def check(values: dict[str, Any], where: str) -> None:
        found = problems(values, known)
        if found:
            raise ShapeNameError(f"{where}: " + "; ".join(found))

    return check


class Instrument(ast.NodeTransformer):
    """Puts the check in front of every return of functions that have shaped names."""

    def __init__(self, module: str) -> None:
        self.place = [module]

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        self.place.append(node.name)
        self.generic_visit(node)
        self.place.pop()
        return node

    def visit_FunctionDef(self, node: Function) -> ast.AST:
        self.place.append(node.name)
        self.generic_visit(node)  # functions inside this one first: they have names of their own
        if any(NAME.match(name) for name in names_of(node)):
            where = ".".join(self.place)
            node.body = Returns(where).rewrite(node.body)
            if not isinstance(node.body[-1], ast.Return):
                node.body.append(ast.copy_location(check_call(where), node.body[-1]))
        self.place.pop()
        return node

    visit_AsyncFunctionDef = visit_FunctionDef


class Returns(ast.NodeTransformer):
    """`return value` becomes: keep the value, check, return it. Functions inside are left alone."""

    def __init__(self, where: str) -> None:
        self.where = where

    def rewrite(self, body: list[ast.stmt]) -> list[ast.stmt]:
        new: list[ast.stmt] = []
        for statement in body:
            found = self.visit(statement)
            new.extend(found if isinstance(found, list) else [found])
        return new

    def visit_Return(self, node: ast.Return) -> list[ast.stmt]:
        value = node.value or ast.Constant(None)
        keep = ast.Assign([ast.Name("__result__", ast.Store())], value)
        back = ast.Return(ast.Name("__result__", ast.Load()))
        return [ast.copy_location(statement, node) for statement in (keep, check_call(self.where), back)]

    def visit_FunctionDef(self, node: ast.AST) -> ast.AST:
        return node

    visit_AsyncFunctionDef = visit_Lambda = visit_ClassDef = visit_FunctionDef


def names_of(function: Function) -> Iterator[str]:
    """Arguments and assigned names of a function, not those of functions inside it."""
    arguments = function.args
    for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
        yield argument.arg
    inside: list[ast.AST] = list(function.body)
    while inside:
        node = inside.pop()
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
            inside.extend(ast.iter_child_nodes(node))


def check_call(where: str) -> ast.stmt:
    """`if not compiling: check(locals(), where)`."""
    return ast.parse(f"if not {COMPILING}():\n    {CHECK}(locals(), {where!r})").body[0]


class Loader(importlib.machinery.SourceFileLoader):
    """Loads a module with the checks in it; the cache of compiled modules is neither read nor written."""

    def __init__(self, name: str, path: str, check: Callable[[dict[str, Any], str], None]) -> None:
        super().__init__(name, path)
        self.check = check

    def get_code(self, fullname: str) -> CodeType:
        tree = Instrument(fullname).visit(ast.parse(self.get_data(self.path), self.path))
        return compile(ast.fix_missing_locations(tree), self.path, "exec", dont_inherit=True)

    def exec_module(self, module: ModuleType) -> None:
        vars(module)[CHECK] = self.check
        vars(module)[COMPILING] = is_compiling
        super().exec_module(module)


class Finder(importlib.abc.MetaPathFinder):
    """Finds the modules of one package that have shaped names."""

    def __init__(self, package: str, check: Callable[[dict[str, Any], str], None]) -> None:
        self.package, self.check = package, check

    def find_spec(self, fullname: str, path: Any, target: ModuleType | None = None) -> Any:
        if not fullname.startswith(f"{self.package}."):
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is None or not spec.origin or not spec.origin.endswith(".py"):
            return None
        if not SUFFIX.search(Path(spec.origin).read_bytes()):
            return None
        loader = Loader(fullname, spec.origin, self.check)
        return importlib.util.spec_from_file_location(
            fullname, spec.origin, loader=loader, submodule_search_locations=spec.submodule_search_locations
        )


def is_compiling() -> bool:
    """Whether torch is tracing this call; False where torch is not even loaded."""
    torch = sys.modules.get("torch")
    return torch is not None and torch.compiler.is_compiling()


def install(package: str = "hornbook") -> Finder:
    """Check this package from now on. Modules imported before are not covered."""
    finder = Finder(package, checker(frozenset(letters())))
    sys.meta_path.insert(0, finder)
    return finder
