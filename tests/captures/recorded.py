"""Recorded captures: where they are, how they are packed, and what a report must keep saying. Standard library, cc and zstd.

    3.11/FAMILY.tar.zst   captures of that family of scenarios on Debian's CPython 3.11
    VERSION.tar.zst       one for each rule on another CPython
    verdicts.jsonl        what is said of each: a line each, in the order of python and case

Those of one family are much alike: each is kept as a capture whose sections are not packed, and all are packed together. What is
unpacked is a capture like any other: zstd -dc --long=27 FILE | tar x, then loopknot analyze.
"""
import ctypes
import io
import json
import os
import subprocess
import tarfile
import tempfile
from concurrent.futures import ThreadPoolExecutor

HERE = os.path.dirname(os.path.abspath(__file__))
VERDICTS = os.path.join(HERE, "verdicts.jsonl")
OWN = "3.11"  # of which all families are recorded
HEADER, SECTION = 12, 32  # bytes: of the file, of each section (src/process/capture/capture_file.c)
BLOCK = 1 << 17  # the largest block of a zstd frame, RFC 8878
FNV = ("#include <stddef.h>\n#include <stdint.h>\nuint64_t fnv(const unsigned char *p, size_t n) {\n"
       "uint64_t h = 0xcbf29ce484222325ull; for (size_t i = 0; i < n; i++) h = (h ^ p[i]) * 0x100000001b3ull; return h; }\n")


def verdicts():
    """{(python, case): what is said of it}"""
    if not os.path.exists(VERDICTS):
        return {}
    with open(VERDICTS, encoding="utf-8") as file:
        return {(r["python"], r["case"]): r for r in map(json.loads, file)}


def write_verdicts(rows):
    order = sorted(rows.values(), key=lambda r: ([int(n) for n in r["python"].split(".")], r["case"]))
    with open(VERDICTS, "w", encoding="utf-8") as file:
        file.write("".join(json.dumps(r) + "\n" for r in order))


def archive(python, case):
    """(file, name in it)"""
    family, program = case.split("/")
    if python == OWN:
        return os.path.join(HERE, python, family + ".tar.zst"), program + ".lkc"
    return os.path.join(HERE, python + ".tar.zst"), "%s.%s.lkc" % (family, program)


def unpack(file):
    """{name: bytes} of an archive; of none where there is none."""
    if not os.path.exists(file):
        return {}
    data = subprocess.run(["zstd", "-dcq", "--long=27", file], stdout=subprocess.PIPE, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        return {m.name: tar.extractfile(m).read() for m in tar}


def pack(file, members):
    """Writes it; the same members are the same bytes."""
    os.makedirs(os.path.dirname(file), exist_ok=True)
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name in sorted(members):
            info = tarfile.TarInfo(name)
            info.size = len(members[name])
            tar.addfile(info, io.BytesIO(members[name]))
    with open(file + ".new", "wb") as out:
        subprocess.run(["zstd", "-19cq", "--long=27", "--single-thread"], input=data.getvalue(), stdout=out, check=True)
    os.replace(file + ".new", file)


class Checksum:
    """What capture_file.c makes of a section's bytes, compiled: there are megabytes of them."""

    def __init__(self):
        with tempfile.TemporaryDirectory() as folder:
            made = os.path.join(folder, "fnv.so")
            subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-x", "c", "-", "-o", made], input=FNV.encode(), check=True)
            self.fnv = ctypes.CDLL(made).fnv
        self.fnv.restype, self.fnv.argtypes = ctypes.c_uint64, [ctypes.c_char_p, ctypes.c_size_t]

    def __call__(self, data):
        return self.fnv(data, len(data))


def frame(raw):
    """A zstd frame that says how long its content is and has it as it is."""
    out = [b"\x28\xb5\x2f\xfd\xa0", len(raw).to_bytes(4, "little")]
    for at in range(0, max(len(raw), 1), BLOCK):
        part = raw[at:at + BLOCK]
        out += [(len(part) << 3 | (at + BLOCK >= len(raw))).to_bytes(3, "little"), part]
    return b"".join(out)


def sections(data):
    """(header, content) of each."""
    at = HEADER
    while at < len(data):
        head, at = data[at:at + SECTION], at + SECTION
        size = int.from_bytes(head[8:16], "little")
        stored, at = data[at:at + size], at + size
        yield head, subprocess.run(["zstd", "-dcq"], input=stored, stdout=subprocess.PIPE, check=True).stdout if size else b""


def unpacked(data, checksum):
    """The same capture, its sections as they are; and all that they hold."""
    out, raw = [data[:HEADER]], []
    for head, content in sections(data):
        if int.from_bytes(head[8:16], "little"):
            stored = frame(content)
            head = head[:8] + len(stored).to_bytes(8, "little") + head[16:24] + checksum(stored).to_bytes(8, "little")
            out += [head, stored]
        else:
            out.append(head)
        raw.append(content)
    return b"".join(out), b"".join(raw)


def place(culprit):
    if not culprit:
        return None
    where = "%s:%s" % (os.path.basename(culprit["file"]), culprit["line"]) if culprit["file"] else culprit["module"]
    return "%s %s" % (culprit["function"], where)


def said(report):
    """Of each process: what must not change unseen."""
    reports = report["reports"] if report["schema"].startswith("loopknot.report-set/") else [report]
    return [{"verdict": r["verdict"],
             "findings": [[f["rule"], f["severity"], f["fingerprint"], place(f["culprit"])] for f in r["findings"]]} for r in reports]


def missing(report):
    """What was asked for and is not in the capture."""
    reports = report["reports"] if report["schema"].startswith("loopknot.report-set/") else [report]
    return sorted({limit for r in reports for limit in r["limits"] if "not in the capture" in limit})


def analyze(loopknot, file):
    """The report; AssertionError with what was said instead."""
    ran = subprocess.run([loopknot, "analyze", "--format", "json", file], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, timeout=60)
    try:
        return json.loads(ran.stdout)
    except ValueError:
        raise AssertionError("no report: status %d, %s" % (ran.returncode, ran.stderr.decode(errors="replace").strip()[:300])) from None


def differences(before, now):
    if len(before) != len(now):
        return ["%d reports, not %d" % (len(now), len(before))]
    out = []
    for old, new in zip(before, now):
        if old["verdict"] != new["verdict"]:
            out.append("verdict %s, not %s" % (new["verdict"], old["verdict"]))
        out += ["new: %s" % f for f in new["findings"] if f not in old["findings"]]
        out += ["gone: %s" % f for f in old["findings"] if f not in new["findings"]]
    return out


def again(loopknot, row, data):
    """(what is said today, problems, whether it must be recorded again)"""
    with tempfile.TemporaryDirectory(prefix="loopknot-replay-") as folder:
        file = os.path.join(folder, "x.lkc")
        with open(file, "wb") as out:
            out.write(data)
        try:
            report = analyze(loopknot, file)
        except AssertionError as error:
            return None, [str(error)], True
    lacks, now = missing(report), said(report)
    return now, lacks or differences(row["said"], now), bool(lacks)


def each(loopknot, words=()):
    """((python, case), row, what is said today, problems, whether it is stale) of all that is """
    rows = verdicts()
    chosen = [k for k in rows if not words or any(w in "/".join(k) for w in words)]
    archives = {}
    for key in chosen:
        archives.setdefault(archive(*key)[0], []).append(key)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for file, keys in archives.items():
            members = unpack(file)
            there = [k for k in keys if archive(*k)[1] in members]
            for key in set(keys) - set(there):
                yield key, rows[key], None, ["not in %s" % os.path.relpath(file, HERE)], True
            done = pool.map(lambda k: again(loopknot, rows[k], members[archive(*k)[1]]), there)
            for key, answer in zip(there, done):
                yield (key, rows[key], *answer)
