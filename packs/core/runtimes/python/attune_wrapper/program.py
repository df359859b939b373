"""The author's file, parsed but not yet run."""

import ast
import os
import sys
import types

from .failure import Failure
from .place import undisturbed

# Names that a sensor finds in its scope without an import, and the module that has them.
IN_SCOPE = {name: "typing" for name in ("Any", "Dict", "Iterator", "List", "Optional")}
IN_SCOPE["datetime"] = "datetime"


class Program:
    def __init__(self, path):
        self.path = path
        with open(path, "rb") as file:
            self.source = file.read()
        try:
            self.tree = ast.parse(self.source, path)
            self.code = compile(self.source, path, "exec", dont_inherit=True)
        except (SyntaxError, ValueError) as error:
            # The frames are this file's and the parser's.
            raise error.with_traceback(None)

    def defines(self, name):
        return any(name in names_bound_by(statement) for statement in self.tree.body)

    def calls(self, name):
        """Whether a function or a method of that name is called anywhere."""
        called = (node.func for node in ast.walk(self.tree) if isinstance(node, ast.Call))
        return any(name in (getattr(each, "attr", None), getattr(each, "id", None)) for each in called)

    def gives_nothing(self, name):
        """Whether the function is defined here and can have no result at all."""
        for statement in self.tree.body:
            if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)) and statement.name == name:
                return not any(map(is_result, ast.walk(statement)))
        return False

    def lacks(self, name, also=""):
        """Says that the file has no such function, and which one the author may have meant by it."""
        with undisturbed:
            import difflib
        functions = [bound for statement in self.tree.body for bound in names_bound_by(statement)]
        near = difflib.get_close_matches(name, functions, 1)
        hint = "; did you mean %s by %s?" % (name, near[0]) if near else ""
        return "the file defines no function %s%s%s" % (name, also, hint)

    def scope(self):
        """What a sensor has in its namespace before it runs. What its text does not name is not imported for it."""
        mentioned = [(name, home) for name, home in IN_SCOPE.items() if name.encode() in self.source]
        with undisturbed:
            return {name: getattr(__import__(home), name) for name, home in mentioned}

    def load(self, name, scope):
        """Runs the file as the module `name`, with `scope` in its namespace."""
        module = types.ModuleType(name)
        module.__file__ = self.path
        module.__dict__.update(scope)
        sys.modules[name] = module
        exec(self.code, module.__dict__)
        return module

    def load_module(self, scope):
        """Runs the file as a module, so that `if __name__ == "__main__"` is for the author's own tries."""
        stem = os.path.splitext(os.path.basename(self.path))[0]
        name = "attune_" + stem
        try:
            self.module = self.load(name, scope)
        except BaseException:
            # What is not loaded is no module, as with an import.
            sys.modules.pop(name, None)
            raise
        return self.module

    def function(self, name, scope):
        """Runs the file and gives its function."""
        found = getattr(self.load_module(scope), name)
        if not callable(found):
            raise Failure("%s in this file is no function" % name)
        return found

    def run_script(self, scope):
        # The functions of the first program still need its namespace.
        self.main = sys.modules["__main__"]
        self.load("__main__", scope)


def names_bound_by(statement):
    """The names that a top-level statement gives to the module."""
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield statement.name
    elif isinstance(statement, (ast.Import, ast.ImportFrom)):
        for alias in statement.names:
            yield (alias.asname or alias.name).partition(".")[0]
    elif isinstance(statement, ast.Assign):
        for target in statement.targets:
            yield from (node.id for node in ast.walk(target) if isinstance(node, ast.Name))
    elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        yield statement.target.id
    elif isinstance(statement, (ast.If, ast.Try, ast.With)) and not is_main_block(statement):
        for block in (statement.body, getattr(statement, "orelse", []), getattr(statement, "finalbody", [])):
            for inner in block:
                yield from names_bound_by(inner)
        for handler in getattr(statement, "handlers", []):
            for inner in handler.body:
                yield from names_bound_by(inner)


def is_result(node):
    return isinstance(node, (ast.Yield, ast.YieldFrom, ast.Raise)) or (
        isinstance(node, ast.Return) and node.value is not None
    )


def is_main_block(statement):
    return isinstance(statement, ast.If) and any(
        isinstance(node, ast.Name) and node.id == "__name__" for node in ast.walk(statement.test)
    )
