"""What the house looks like: its files, folders, includes and calls. Shared by the tools beside it; standard library only.

Includes are read from the sources, calls from the objects' symbol tables (nm): a file calls another one when it names a symbol
that the other one defines. A header belongs to the .c file of the same name.
"""
import collections
import os
import re
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def sources(top):
    """Every .c and .h below top, relative to it, in order."""
    return sorted(os.path.relpath(os.path.join(d, f), top) for d, _, fs in os.walk(top) for f in fs if f.endswith((".c", ".h")))


def stem(path):
    return os.path.splitext(path)[0]


def includes(top, suffixes=(".c", ".h")):
    """file (without suffix) -> files that it or its header includes; with (".h",) headers among themselves."""
    files = {stem(f) for f in sources(top)}
    graph = {f: set() for f in files}
    for path in filter(lambda p: p.endswith(suffixes), sources(top)):
        with open(os.path.join(top, path), encoding="utf-8") as file:
            for name in re.findall(r'^#include "([^"]+)"', file.read(), re.M):
                if stem(name) in files and stem(name) != stem(path):
                    graph[stem(path)].add(stem(name))
    return graph


def symbols(path):
    """(defined, wanted) of one object."""
    defined, wanted = set(), set()
    ran = subprocess.run(["nm", "-P", path], stdout=subprocess.PIPE, text=True, check=True)
    for line in ran.stdout.splitlines():
        name, kind = line.split()[:2]
        if kind == "U":
            wanted.add(name)
        elif kind in "TDBRVWC":
            defined.add(name)
    return defined, wanted


def calls(objects):
    """file (without suffix) -> files whose symbols it names. objects: the folder of the objects, such as build/src.

    An object whose source was moved or removed since is left out.
    """
    home, wants = {}, {}
    for folder, _, names in os.walk(objects):
        for name in names:
            path = os.path.join(folder, name)
            file = stem(os.path.relpath(path, objects))
            if name.endswith(".o") and os.path.exists(os.path.join(ROOT, "src", file + ".c")):
                defined, wants[file] = symbols(path)
                home.update(dict.fromkeys(defined, file))
    return {f: {home[s] for s in w if s in home and home[s] != f} for f, w in wants.items()}


def by_folder(graph, lift=os.path.dirname):
    """The same between folders; what a folder has in its own sub-folders is its own."""
    folders = collections.defaultdict(set)
    for file, to in graph.items():
        own = lift(file)
        for other in map(lift, to):
            if other != own and not other.startswith(own + "/"):
                folders[own].add(other)
    return dict(folders)


def circles(graph):
    """Its strongly connected components of more than one member (Tarjan, without recursion), largest first."""
    index, low, stack, found = {}, {}, [], []

    def walk(start):
        work = []

        def enter(v):
            index[v] = low[v] = len(index)
            stack.append(v)
            work.append((v, iter(sorted(graph.get(v, ())))))
        enter(start)
        while work:
            v, left = work[-1]
            for w in left:
                if w not in index:
                    enter(w)
                    break
                if w in stack:
                    low[v] = min(low[v], index[w])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[v])
                if low[v] == index[v]:
                    group = [stack.pop()]
                    while group[-1] != v:
                        group.append(stack.pop())
                    if len(group) > 1:
                        found.append(sorted(group))
    for v in sorted(graph):
        if v not in index:
            walk(v)
    return sorted(found, key=len, reverse=True)


def places():
    """folder -> its place in tools/rooms."""
    with open(os.path.join(ROOT, "tools", "rooms"), encoding="utf-8") as file:
        return {line.strip(): n for n, line in enumerate(file) if line.strip() and not line.startswith("#")}


def place_of(folder, known):
    """Its own place, or that of the nearest folder above it; None when there is none."""
    while folder and folder not in known:
        folder = os.path.dirname(folder)
    return known.get(folder)


def out_of_order(graph):
    """(file, file) for each link that does not lead to an earlier folder or to a sub-folder."""
    known, found = places(), []
    for file in sorted(graph):
        own = os.path.dirname(file)
        for to in sorted(graph[file]):
            other = os.path.dirname(to)
            if other == own or other.startswith(own + "/"):
                continue
            a, b = place_of(own, known), place_of(other, known)
            if a is None or b is None or b >= a:
                found.append((file, to))
    return found


def without_main(graph):
    """The program's main names every command and is called by nobody: it is above the house."""
    return {f: to for f, to in graph.items() if f != "cli/main"}
