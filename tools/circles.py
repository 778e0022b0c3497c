#!/usr/bin/env python3
"""Fails on a circle of files inside a crate, and on a crate that uses one of its own floor or of a higher one.

  tools/circles.py                   every crate of the workspace
  tools/circles.py broker aeroalpes  these crates only, by folder
  tools/circles.py --self-test       made-up crates, each with a fault that must be found or a form that must not count

A file uses another one when a path in it (a `use`, or `crate::`, `super::`, `self::`, a module or an imported name in front of `::`)
leads there. Re-exports are followed to the file that defines the name, so a `mod.rs` that only declares modules and passes names on
takes part in no circle; what its own code uses counts. Test code does not count: whatever is under `#[cfg(test)]`, and the folders
beside `src`. Calls of methods are invisible here, because they name no path.

The order of crates is `FLOORS`. Dependencies for tests (`[dev-dependencies]`) may point anywhere.
"""

import pathlib
import re
import sys
import tempfile
import tomllib
from dataclasses import dataclass, field

ROOT = pathlib.Path(__file__).resolve().parents[1]

# A crate uses crates of lower floors only. An entry is the folder of a crate, or of several that belong together.
FLOORS = [
    ["crates/cli"],
    ["crates/engine"],
    ["crates/config"],
    ["crates/broker", "crates/source", "aeroalpes"],
    ["crates/change", "crates/pulsar", "crates/testkit"],
    ["crates/backoff", "crates/binlog", "crates/data-folder", "crates/openmetrics", "crates/origin", "crates/outbox",
     "crates/pulsar-wire"],
]

TOKEN = re.compile(
    r"""(?P<line_comment>//[^\n]*)
      | (?P<block_comment>/\*)
      | (?P<text>[bc]?r(?P<hashes>\#*)".*?"(?P=hashes) | [bc]?"(?:\\.|[^"\\])*" | b?'(?:\\(?:u\{[^}]*\}|x..|.)|[^'\\\n])')
      | (?P<lifetime>'[A-Za-z_]\w*)
      | (?P<name>(?:r\#)?[A-Za-z_]\w*)
      | (?P<number>\d\w*(?:\.\d\w*)?)
      | (?P<sign>::|[^\s])""",
    re.VERBOSE | re.DOTALL,
)
OPEN, CLOSE = "([{", ")]}"
QUALIFIERS = {"pub", "async", "unsafe", "default", "extern", "safe"}
NAMED_ITEMS = {"fn", "struct", "enum", "union", "trait", "type", "const", "static"}
ITEMS = NAMED_ITEMS | {"mod", "use", "impl", "macro_rules", "let"}


@dataclass
class Token:
    kind: str
    text: str
    line: int


@dataclass
class Import:
    """One name of a `use`: `path` as written, `name` under which it is known here (`*` for a glob)."""

    path: list
    name: str
    line: int
    is_reexport: bool


@dataclass
class Module:
    file: pathlib.Path
    parent: "Module | None"
    children: dict = field(default_factory=dict)
    items: set = field(default_factory=set)
    imports: list = field(default_factory=list)
    # Paths in code, and single names that may be imported ones: (segments, line).
    paths: list = field(default_factory=list)

    def root(self):
        return self if self.parent is None else self.parent.root()


def tokens_of(text):
    tokens, at, line = [], 0, 1
    while match := TOKEN.search(text, at):
        line += text.count("\n", at, match.start())
        end = match.end()
        if match.lastgroup == "block_comment":
            depth = 1
            while depth and (mark := re.compile(r"/\*|\*/").search(text, end)):
                depth, end = depth + (1 if mark[0] == "/*" else -1), mark.end()
        elif match.lastgroup != "line_comment":
            kind = "text" if match["text"] else match.lastgroup
            tokens.append(Token(kind, match[0].removeprefix("r#"), line))
        line += text.count("\n", match.start(), end)
        at = end
    return tokens


def after_group(tokens, at):
    """Returns the place behind the group that the bracket at `at` opens."""
    depth = 0
    while at < len(tokens):
        if tokens[at].kind == "sign":
            depth += (tokens[at].text in OPEN) - (tokens[at].text in CLOSE)
        at += 1
        if depth == 0:
            break
    return at


def is_sign(tokens, at, text):
    return at < len(tokens) and tokens[at].kind == "sign" and tokens[at].text == text


def is_name(tokens, at, *texts):
    return at < len(tokens) and tokens[at].kind == "name" and (not texts or tokens[at].text in texts)


def keyword_at(tokens, at):
    """Returns the place of the word that says what the item at `at` is, behind its visibility and qualifiers."""
    while is_name(tokens, at, *QUALIFIERS) or (is_name(tokens, at, "const") and is_name(tokens, at + 1, "fn", *QUALIFIERS)):
        at += 1
        if is_name(tokens, at - 1, "pub") and is_sign(tokens, at, "("):
            at = after_group(tokens, at)
        elif is_name(tokens, at - 1, "extern") and at < len(tokens) and tokens[at].kind == "text":
            at += 1
    return at


def item_end(tokens, at):
    """Returns the place behind the item that begins at `at`: a function, a field, an arm, a statement."""
    keyword = keyword_at(tokens, at)
    is_item = is_name(tokens, keyword, *ITEMS)
    # `const X: T = { … };` ends at its semicolon, a function at its brace.
    ends_at_brace = not is_name(tokens, keyword, "use", "let", "static", "type", "const")
    while at < len(tokens):
        if tokens[at].kind == "sign":
            if tokens[at].text in CLOSE:
                return at
            if tokens[at].text == ";" or (not is_item and tokens[at].text == ","):
                return at + 1
            if tokens[at].text in OPEN:
                is_brace = tokens[at].text == "{"
                at = after_group(tokens, at)
                if is_brace and ends_at_brace:
                    return at + (not is_item and is_sign(tokens, at, ","))
                continue
        at += 1
    return at


def is_test_attribute(tokens):
    names = [token.text for token in tokens if token.kind == "name"]
    return names[:2] == ["cfg", "test"] or names[:3] == ["cfg", "all", "test"] or names == ["test"]


def without_tests(tokens):
    """Leaves out whatever stands behind `#[cfg(test)]`, and all attributes."""
    kept, at = [], 0
    while at < len(tokens):
        if not is_sign(tokens, at, "#"):
            kept.append(tokens[at])
            at += 1
            continue
        is_inner = is_sign(tokens, at + 1, "!")
        start = at + 1 + is_inner
        if not is_sign(tokens, start, "["):
            at += 1
            continue
        end = after_group(tokens, start)
        is_test = is_test_attribute(tokens[start:end])
        if is_inner and is_test:
            return []
        # `#[path = "…"]` is the one attribute that says where a file lies.
        if is_name(tokens, start + 1, "path"):
            kept.extend(tokens[at:end])
        at = end
        if is_test:
            while is_sign(tokens, at, "#"):
                at = after_group(tokens, at + 1)
            at = item_end(tokens, at)
    return kept


def use_tree(tokens, at, prefix, found):
    """Reads the tree behind `use`; appends (path, name, line) and returns the place behind it."""
    path = list(prefix)
    while at < len(tokens):
        token = tokens[at]
        if token.kind == "name":
            path.append(token.text)
            at += 1
            if is_name(tokens, at, "as"):
                found.append((path, tokens[at + 1].text, token.line))
                return at + 2
            if not is_sign(tokens, at, "::"):
                if path[-1] == "self" and len(path) > 1:
                    path.pop()
                found.append((path, path[-1], token.line))
                return at
        elif token.text == "::":
            at += 1
        elif token.text == "*":
            found.append((path, "*", token.line))
            return at + 1
        elif token.text == "{":
            at += 1
            while at < len(tokens) and not is_sign(tokens, at, "}"):
                at = at + 1 if is_sign(tokens, at, ",") else use_tree(tokens, at, path, found)
            return at + 1
        else:
            return at + 1
    return at


def read_code(module, tokens):
    """Notes the paths, and the `use`s of functions, in the tokens of an item."""
    at = 0
    while at < len(tokens):
        token = tokens[at]
        if token.kind != "name" or (at and tokens[at - 1].text == "."):
            at += 1
            continue
        if token.text == "use" and not is_sign(tokens, at + 1, "<"):
            at = read_use(module, tokens, at + 1, False)
            continue
        path, at = [token.text], at + 1
        while is_sign(tokens, at, "::") and is_name(tokens, at + 1):
            path.append(tokens[at + 1].text)
            at += 2
        # A single small name is a field, a local or a function; only the call of a function can be told from the others.
        if len(path) > 1 or path[0][0].isupper() or any(is_sign(tokens, at, sign) for sign in ("(", "!", "::")):
            module.paths.append((path, token.line))


def read_use(module, tokens, at, is_reexport):
    found = []
    at = use_tree(tokens, at, [], found)
    module.imports.extend(Import(path, name, line, is_reexport) for path, name, line in found)
    return at


def read_items(module, tokens, folder):
    """Reads the items of a module whose child modules lie in `folder`."""
    at, path_attribute = 0, None
    while at < len(tokens):
        if is_sign(tokens, at, "#"):
            end = after_group(tokens, at + 1)
            path_attribute = next(token.text.strip('"') for token in tokens[at:end] if token.kind == "text")
            at = end
            continue
        start, is_public = at, is_name(tokens, at, "pub")
        at = keyword_at(tokens, at)
        if is_name(tokens, at, "use"):
            at = read_use(module, tokens, at + 1, is_public)
        elif is_name(tokens, at, "mod"):
            name, at = tokens[at + 1].text, at + 2
            child = Module(module.file, module)
            module.children[name] = child
            if is_sign(tokens, at, "{"):
                end = after_group(tokens, at)
                read_items(child, tokens[at + 1 : end - 1], folder / name)
                at = end
            else:
                places = [module.file.parent / path_attribute] if path_attribute else [folder / f"{name}.rs", folder / name / "mod.rs"]
                child.file = next(place for place in places if place.exists())
                read_items(child, without_tests(tokens_of(child.file.read_text())), folder / name)
        else:
            if is_name(tokens, at) and tokens[at].text in NAMED_ITEMS and is_name(tokens, at + 1):
                named = at + 1 + is_name(tokens, at + 1, "mut")
                if is_name(tokens, named):
                    module.items.add(tokens[named].text)
            elif is_name(tokens, at, "macro_rules"):
                module.root().items.add(tokens[at + 2].text)
                module.items.add(tokens[at + 2].text)
            end = max(item_end(tokens, at), at + 1)
            read_code(module, [token for token in tokens[start:end] if token.text != "pub"])
            at = end
        path_attribute = None


def resolve(module, path, is_relative=True, visited=frozenset()):
    """Follows a path from a module; returns the module that it leads to, or the one that defines the item, and whether it is an item."""
    if (id(module), tuple(path), is_relative) in visited:
        return None
    visited = visited | {(id(module), tuple(path), is_relative)}
    if not path:
        return module, False
    first, rest = path[0], path[1:]
    if first == "crate":
        return resolve(module.root(), rest, False, visited)
    if first == "self":
        return resolve(module, rest, False, visited)
    if first == "super":
        return module.parent and resolve(module.parent, rest, rest[:1] == ["super"], visited)
    # A module and a function may share a name: `mod repair; pub use repair::repair;`. A module is meant if the path goes on.
    if first in module.children and rest:
        return resolve(module.children[first], rest, False, visited)
    if first in module.items:
        return module, True
    for known in module.imports:
        if known.name == first and (known.path != path[: len(known.path)] or len(known.path) > 1):
            found = resolve(module, known.path, True, visited)
            if found and not found[1] and rest:
                return resolve(found[0], rest, False, visited)
            if found:
                return found
    if first in module.children:
        return resolve(module.children[first], rest, False, visited)
    for known in module.imports:
        if known.name == "*":
            target = resolve(module, known.path, True, visited)
            found = target and not target[1] and resolve(target[0], path, False, visited)
            if found:
                return found
    return None


def all_modules(module):
    yield module
    for child in module.children.values():
        yield from all_modules(child)


def uses_of(module):
    """Returns (module that defines it, path as written, line) for whatever the module's own code uses."""
    found = []
    reexports = {known.name: known for known in module.imports if known.is_reexport}
    for known in module.imports:
        if not known.is_reexport and known.name != "*":
            target = resolve(module, known.path)
            if target and target[1]:
                found.append((target[0], "use " + "::".join(known.path), known.line))
    for path, line in module.paths:
        if len(path) == 1 and path[0] not in reexports and not any(known.name == "*" for known in module.imports):
            # Defined here, in the prelude, or imported by a `use` that was counted above.
            continue
        target = resolve(module, path)
        if target and target[1]:
            found.append((target[0], "::".join(path), line))
    return found


def circles(edges):
    """Returns the strongly connected components of more than one file (Tarjan)."""
    index, low, stack, found = {}, {}, [], []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        for target in edges.get(node, {}):
            if target not in index:
                visit(target)
                low[node] = min(low[node], low[target])
            elif target in stack:
                low[node] = min(low[node], index[target])
        if low[node] == index[node]:
            component = set(stack[stack.index(node) :])
            del stack[stack.index(node) :]
            if len(component) > 1:
                found.append(component)

    for node in sorted(edges):
        if node not in index:
            visit(node)
    return sorted(found, key=lambda component: min(component))


def circle_through(edges, component):
    """Returns the shortest circle through the first file of a component that has one, as a list of files."""
    best = None
    for start in sorted(component):
        ways, queue = {start: [start]}, [start]
        while queue:
            node = queue.pop(0)
            for target in sorted(edges[node]):
                if target == start and (best is None or len(ways[node]) < len(best)):
                    best = ways[node]
                if target in component and target not in ways:
                    ways[target] = ways[node] + [target]
                    queue.append(target)
    return best


def faults_inside(folder):
    """Returns the circles of files of a crate, each as one text."""
    faults = []
    for top in ("lib.rs", "main.rs"):
        file = folder / "src" / top
        if not file.exists():
            continue
        root = Module(file, None)
        read_items(root, without_tests(tokens_of(file.read_text())), file.parent)
        edges = {}
        for module in all_modules(root):
            for target, path, line in uses_of(module):
                if target.file != module.file:
                    edges.setdefault(module.file, {}).setdefault(target.file, (path, line))
        for component in circles(edges):
            circle = circle_through(edges, component)
            lines = []
            for source, target in zip(circle, circle[1:] + circle[:1]):
                path, line = edges[source][target]
                lines.append(f"  {source.relative_to(folder.parent)}:{line}: {path} -> {target.relative_to(folder.parent)}")
            names = ", ".join(sorted(str(file.relative_to(folder / "src")) for file in component))
            faults.append(f"{folder.name}: a circle of {len(component)} files: {names}; the shortest one in it:\n" + "\n".join(lines))
    return faults


def manifests(root):
    """Returns the manifest of every crate of a workspace by its folder."""
    workspace = tomllib.loads((root / "Cargo.toml").read_text())["workspace"]
    folders = sorted({folder for member in workspace["members"] for folder in root.glob(member) if (folder / "Cargo.toml").exists()})
    return {folder: tomllib.loads((folder / "Cargo.toml").read_text()) for folder in folders}


def place_of(folder, root, floors):
    """Returns the floor of a crate, counted from the top, and its entry there."""
    relative = folder.relative_to(root)
    for number, floor in enumerate(floors):
        for entry in floor:
            if relative.is_relative_to(entry):
                return number, entry
    return None


def faults_between(root, floors):
    """Returns the arrows between crates that do not point downwards, each as one text."""
    crates, faults = manifests(root), []
    folders = {manifest["package"]["name"]: folder for folder, manifest in crates.items()}
    for folder, manifest in crates.items():
        own = place_of(folder, root, floors)
        if own is None:
            faults.append(f"{folder.relative_to(root)} stands on no floor; give it one in FLOORS")
            continue
        for name in {**manifest.get("dependencies", {}), **manifest.get("build-dependencies", {})}:
            used = folders.get(name)
            place = used and place_of(used, root, floors)
            if place and place != own and place[0] <= own[0]:
                faults.append(f"{folder.relative_to(root)} uses {used.relative_to(root)}, which does not lie below it")
    return faults


SELF_TESTS = {
    # name: (files of a crate, circles that must be found)
    "a circle by use": (
        {"lib.rs": "mod a; mod b;", "a.rs": "use crate::b::B; pub struct A(B);", "b.rs": "use crate::a::A; pub struct B(Box<A>);"},
        [{"a.rs", "b.rs"}],
    ),
    "a circle by paths in code": (
        {"lib.rs": "mod a; mod b;", "a.rs": "pub fn a() { crate::b::b() }", "b.rs": "pub fn b() { super::a::a() }"},
        [{"a.rs", "b.rs"}],
    ),
    "a circle through a re-export": (
        {
            "lib.rs": "mod low; mod top;",
            "low/mod.rs": "mod item; pub use item::Item;",
            "low/item.rs": "pub struct Item; impl Item { fn f(&self) { crate::top::run(self) } }",
            "top.rs": "use crate::low::{self, Item}; pub fn run(_: &Item) {}",
        },
        [{"low/item.rs", "top.rs"}],
    ),
    "a circle through an imported module": (
        {"lib.rs": "mod a; mod b;", "a.rs": "use crate::b; pub fn a() { b::b() }", "b.rs": "use crate::a::a; pub fn b() { a() }"},
        [{"a.rs", "b.rs"}],
    ),
    "a room whose own code uses a file that uses the room": (
        {
            "lib.rs": "mod room;",
            "room/mod.rs": "mod part; pub use part::Part; pub struct Room(Part);",
            "room/part.rs": "use super::Room; pub struct Part; impl Part { fn of(_: &Room) {} }",
        },
        [{"room/mod.rs", "room/part.rs"}],
    ),
    "a room that only passes names on": (
        {
            "lib.rs": "//! Has [`room::B`].\nmod room; pub use room::{A, B};",
            "room/mod.rs": "mod a; mod b; pub use a::A; pub use b::B; pub use other::*; mod other;",
            "room/a.rs": "use super::{B, C}; pub struct A(B, C);",
            "room/b.rs": "pub struct B; // crate::room::A",
            "room/other.rs": "pub struct C;",
        },
        [],
    ),
    "test code, comments and texts": (
        {
            "lib.rs": "mod a; mod b; #[cfg(test)] mod tests;",
            "a.rs": "use crate::b::B; pub struct A(B);",
            "b.rs": """/// See [`crate::a::A`].
pub struct B; const T: &str = "crate::a::A"; const C: char = '"'; /* use /* crate::a::A */; */
#[cfg(test)] use crate::a::A;
impl B { #[cfg(test)] fn t(&self) -> crate::a::A { todo!() } }
#[cfg(test)] #[allow(dead_code)] mod tests { use crate::a::A; fn t<'a>(_: &'a A) {} }""",
            "tests.rs": "use crate::a::A;",
        },
        [],
    ),
    "an item behind a test that has an equals sign in its head": (
        {
            "lib.rs": "mod a; mod b;",
            "a.rs": "#[cfg(test)] fn t(i: impl Iterator<Item = u8>) { i.next() } pub struct A(crate::b::B);",
            "b.rs": "pub struct B(Box<super::a::A>);",
        },
        [{"a.rs", "b.rs"}],
    ),
    "a name of another crate, a field and a local": (
        {
            "lib.rs": "mod a; mod b;",
            "a.rs": "use crate::b::B; use std::fmt; pub struct A { pub b: B } impl fmt::Debug for A {}",
            "b.rs": "pub struct B; fn f() { let a = 1; g(a); std::a::A::new(); other.a::<u8>(); }",
        },
        [],
    ),
    "an inline module, a constant with a block, a use in a function": (
        {
            "lib.rs": "mod a; mod b;",
            "a.rs": "pub const A: u8 = { 1 }; mod inner { pub fn f() { use crate::b::b; b() } }",
            "b.rs": "pub fn b() -> u8 { crate::a::A }",
        },
        [{"a.rs", "b.rs"}],
    ),
}


def self_test():
    for name, (files, expected) in SELF_TESTS.items():
        with tempfile.TemporaryDirectory() as temporary:
            folder = pathlib.Path(temporary) / "made-up"
            for file, text in files.items():
                (folder / "src" / file).parent.mkdir(parents=True, exist_ok=True)
                (folder / "src" / file).write_text(text)
            faults = faults_inside(folder)
            found = [set(re.search(r"files: (.*?);", fault)[1].split(", ")) for fault in faults]
            assert found == expected, f"{name}: found {faults}"
    with tempfile.TemporaryDirectory() as temporary:
        root = pathlib.Path(temporary)
        (root / "Cargo.toml").write_text('[workspace]\nmembers = ["crates/*"]\n')
        for name, uses in {"top": ["low"], "low": ["top"], "beside": ["low-too"], "low-too": [], "new": []}.items():
            (root / "crates" / name).mkdir(parents=True)
            dependencies = "".join(f'{used} = "1"\n' for used in uses)
            text = f'[package]\nname = "{name}"\n[dependencies]\nserde = "1"\n{dependencies}[dev-dependencies]\ntop = "1"\n'
            (root / "crates" / name / "Cargo.toml").write_text(text)
        faults = faults_between(root, [["crates/top"], ["crates/low", "crates/beside", "crates/low-too"]])
        assert faults == [
            "crates/beside uses crates/low-too, which does not lie below it",
            "crates/low uses crates/top, which does not lie below it",
            "crates/new stands on no floor; give it one in FLOORS",
        ], faults


def main(arguments):
    if arguments == ["--self-test"]:
        self_test()
        return 0
    folders = list(manifests(ROOT))
    wanted = [folder for folder in folders if folder.name in arguments] if arguments else folders
    unknown = set(arguments) - {folder.name for folder in folders}
    if unknown:
        print(f"no crate has the folder {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    faults = [fault for folder in wanted for fault in faults_inside(folder)]
    if not arguments:
        faults += faults_between(ROOT, FLOORS)
    print("\n".join(faults), end="\n" if faults else "")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
