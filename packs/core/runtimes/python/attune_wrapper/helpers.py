"""Which of the modules that stand beside an author's files a file imports, and which of them are its alone.

Python does not tell who imported what. But who imports a module names it; so whatever a code object names counts as imported
if there is a module of that name, and rather too much stays than too little. Packages are taken as a whole."""

from types import CodeType
from weakref import WeakKeyDictionary

# By module, the helpers that it may import in turn.
uses = WeakKeyDictionary()


def names(code):
    """All names and texts in a code object and those inside of it, without what follows their first dot."""
    found = {name.partition(".")[0] if "." in name else name for name in code.co_names}
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            found |= names(constant)
        elif isinstance(constant, str):
            found.add(constant.partition(".")[0])
    return found


def are_shared(used, files):
    """Whether each of these is used by one of the files, which mostly the first one says."""
    alone = set(used)
    for each in files:
        if not alone:
            break
        alone.difference_update(each.uses)
    return not alone


def only_of(evicted, stay, modules):
    """The names of those modules that the evicted file may import and none of those that stay."""
    groups = {}
    for name in modules:
        groups.setdefault(name.partition(".")[0], []).append(name)
    kept = closure({name for each in stay for name in each.uses}, groups, modules)
    return [name for group in closure(set(evicted.uses), groups, modules) - kept for name in groups[group]]


def closure(wanted, groups, modules):
    """What is wanted and there, and what that may import in turn."""
    found = set()
    while wanted:
        group = wanted.pop()
        if group in groups and group not in found:
            found.add(group)
            for name in groups[group]:
                wanted |= used_by(modules[name], groups)
    return found


def used_by(module, groups):
    if module not in uses:
        try:
            uses[module] = names(module.__spec__.loader.get_code(module.__name__))
        except Exception:
            # Nobody can tell, so it may be all.
            return set(groups)
    return uses[module]
