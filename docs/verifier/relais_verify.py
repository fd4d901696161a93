#!/usr/bin/env python3
"""Vérifie un journal de Relais sans Relais : export, point de contrôle, reçu, rapport, continuité.

A second verifier, for whoever must not have to trust the first one. Python 3.9 or newer, standard library only, one
file, no network, nothing written. It was written from the published texts, not from the program that makes the logs:

* RFC 6962 section 2.1 (Merkle tree, audit paths, consistency proofs; SHA-256);
* RFC 8032 section 5.1 (Ed25519);
* C2SP signed-note, tlog-checkpoint, tlog-cosignature (Ed25519, cosignature/v1), tlog-proof, tlog-policy;
* docs/adr/0003-log-format.md for the records (canonical JSON, schema 1), 0012 for a loss that two people declared.

What is doubtful is refused: another spelling of a number or of base64, bytes that follow, a key or a signature that is
not in its only form, the same key twice. Exit code: 0 only if everything holds, 1 if something does not (said in
French, with the place), 2 if the command is wrong or a file cannot be read, 3 if everything that is there holds and
a part of the log was declared lost: then several keys are needed, that of the first name first.

It looks at the *form* of the words in a record (an action, a profession), not at the list they come from: a new word
needs no new verifier. Each record is proved by its hash all the same.
"""

import argparse
import base64
import bisect
import contextlib
import datetime
import functools
import hashlib
import json
import os
import re
import sys
import time

LONGEST_NOTE = 1_000_000
LONGEST_RECEIPT = 2 * LONGEST_NOTE
LONGEST_LINE = 4_000_000
MOST_SIGNATURES = 64
MOST_HASHES = 63
# How far a witness's clock may be ahead of this computer's.
CLOCK_TOLERANCE = 24 * 3600


class Refusal(Exception):
    """Something does not hold."""


class DeclaredLoss(Exception):
    """Everything that is there holds, and a part was declared lost."""


class Unreadable(Exception):
    """A file cannot be read: nothing was verified."""


def shown(text):
    """Text of a file on its way to a terminal: nothing that could move the cursor or hide."""
    short = text if len(text) <= 120 else text[:117] + "..."
    return "".join(c if c.isprintable() else "\\u%04x" % ord(c) for c in short)


# --- strict readers -------------------------------------------------------------------------------------------------


def decimal(text, what, most=2**64 - 1):
    """Digits without sign, space or leading zero."""
    if not re.fullmatch(r"0|[1-9][0-9]{0,19}", text) or int(text) > most:
        raise Refusal("%s : « %s » n'est pas un nombre écrit simplement" % (what, shown(text)))
    return int(text)


def unbase64(text, what):
    """Standard base64 with padding, in its only spelling."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except ValueError:
        raise Refusal("%s : ce n'est pas du base64" % what) from None
    if base64.b64encode(data).decode("ascii") != text:
        raise Refusal("%s : base64 écrit autrement que de la seule façon permise" % what)
    return data


def unhash(text, what):
    data = unbase64(text, what)
    if len(data) != 32:
        raise Refusal("%s : une empreinte a 32 octets, pas %d" % (what, len(data)))
    return data


def utf8(data, what):
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise Refusal(
            "%s : fichier en UTF-16 ; le terminal l'a transformé (PowerShell ?), reprenez l'original octet pour octet"
            % what
        )
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise Refusal("%s : ce n'est pas du texte UTF-8" % what) from None


@contextlib.contextmanager
def opened(path):
    """A file; whatever goes wrong while reading it is said, and is never a success."""
    try:
        with open(path, "rb") as file:
            yield file
    except OSError as error:
        raise Unreadable("« %s » ne peut pas être lu : %s" % (shown(path), error.strerror)) from None


def read_file(path, most):
    with opened(path) as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise Refusal("« %s » est trop long (plus de %d octets)" % (shown(path), most))
    return data


# --- Ed25519 (RFC 8032, 5.1), verification only ---------------------------------------------------------------------

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)
IDENTITY = (0, 1, 1, 0)


def point_add(a, b):
    """Extended coordinates (X, Y, Z, T), x = X/Z, y = Y/Z, x*y = T/Z; complete on this curve."""
    m = (a[1] - a[0]) * (b[1] - b[0]) % P
    n = (a[1] + a[0]) * (b[1] + b[0]) % P
    c = 2 * a[3] * b[3] * D % P
    d = 2 * a[2] * b[2] % P
    e, f, g, h = n - m, d - c, d + c, n + m
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def point_double(a):
    x, y, z = a[0] * a[0] % P, a[1] * a[1] % P, 2 * a[2] * a[2] % P
    h = x + y
    e = h - (a[0] + a[1]) * (a[0] + a[1]) % P
    g = x - y
    f = z + g
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def point_negate(a):
    return (-a[0] % P, a[1], a[2], -a[3] % P)


def point_is_identity(a):
    return a[0] % P == 0 and (a[1] - a[2]) % P == 0


def point_encode(a):
    inverse = pow(a[2], P - 2, P)
    x, y = a[0] * inverse % P, a[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def point_decode(data):
    """A point in its only encoding, or None."""
    number = int.from_bytes(data, "little")
    sign, y = number >> 255, number & (2**255 - 1)
    if y >= P:
        return None
    u, v = (y * y - 1) % P, (D * y * y + 1) % P
    x = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    if v * x * x % P == (P - u) % P:
        x = x * ROOT_OF_MINUS_ONE % P
    if v * x * x % P != u:
        return None
    if x == 0 and sign:
        return None
    if x & 1 != sign:
        x = P - x
    return (x, y, 1, x * y % P)


def multiples(point):
    out = [IDENTITY]
    for _ in range(15):
        out.append(point_add(out[-1], point))
    return out


BASE = point_decode((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))
BASE_MULTIPLES = multiples(BASE)


def multiply_both(s, k, point):
    """s * BASE + k * point, four bits at a time."""
    table, total = multiples(point), IDENTITY
    for shift in range(252, -1, -4):
        for _ in range(4):
            total = point_double(total)
        total = point_add(total, BASE_MULTIPLES[s >> shift & 15])
        total = point_add(total, table[k >> shift & 15])
    return total


@functools.lru_cache(maxsize=256)
def public_point(public):
    """The point of a public key; None unless it is canonical and generates the group of prime order."""
    point = point_decode(public) if len(public) == 32 else None
    if point is None:
        return None
    # Torsion (small order included) lets one signature serve several messages or keys: no honest key has any.
    if point_is_identity(point) or not point_is_identity(multiply_both(0, L, point)):
        return None
    return point


def ed25519_verify(public, message, signature):
    point = public_point(public)
    if point is None or len(signature) != 64:
        return False
    s = int.from_bytes(signature[32:], "little")
    if s >= L:
        return False
    digest = hashlib.sha512(signature[:32] + public + message).digest()
    k = int.from_bytes(digest, "little") % L
    # Compared as bytes, so R too is accepted in its only encoding.
    return point_encode(multiply_both(s, k, point_negate(point))) == signature[:32]


# --- the tree (RFC 6962, 2.1) ---------------------------------------------------------------------------------------


def leaf_hash(data):
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


class Tree:
    """A growing tree in constant memory: the roots of its complete subtrees, largest first."""

    def __init__(self):
        self.size = 0
        self.roots = []

    def append(self, leaf):
        size = self.size
        while size & 1:
            leaf = node_hash(self.roots.pop(), leaf)
            size >>= 1
        self.roots.append(leaf)
        self.size += 1

    def root(self):
        if not self.roots:
            return hashlib.sha256(b"").digest()
        root = self.roots[-1]
        for left in reversed(self.roots[:-1]):
            root = node_hash(left, root)
        return root


def left_width(n):
    """The largest power of two smaller than n."""
    return 1 << (n - 1).bit_length() - 1


class BadProof(Exception):
    """A proof of another length than the tree asks for."""


def path_root(leaf, m, n, path):
    """The root to which PATH(m, D[n]) leads (2.1.1), following the definition."""
    if n == 1:
        if path:
            raise BadProof
        return leaf
    if not path:
        raise BadProof
    k = left_width(n)
    if m < k:
        return node_hash(path_root(leaf, m, k, path[:-1]), path[-1])
    return node_hash(path[-1], path_root(leaf, m - k, n - k, path[:-1]))


def subproof_roots(m, n, known, proof, old_root):
    """Older and newer root to which SUBPROOF(m, D[n], known) leads (2.1.2), following the definition."""
    if m == n:
        if len(proof) != (0 if known else 1):
            raise BadProof
        root = old_root if known else proof[0]
        return root, root
    if not proof:
        raise BadProof
    k, rest, last = left_width(n), proof[:-1], proof[-1]
    if m <= k:
        older, newer = subproof_roots(m, k, known, rest, old_root)
        return older, node_hash(newer, last)
    older, newer = subproof_roots(m - k, n - k, False, rest, old_root)
    return node_hash(last, older), node_hash(last, newer)


def check_hashes(hashes):
    if any(len(digest) != 32 for digest in hashes):
        raise Refusal("une empreinte a 32 octets")


def check_inclusion(leaf, index, size, path, root):
    check_hashes([leaf, root] + path)
    if index >= size:
        raise Refusal("la trace n° %d n'est pas dans un journal de %d traces" % (index, size))
    try:
        found = path_root(leaf, index, size, path)
    except BadProof:
        raise Refusal("le chemin vers la racine n'a pas la longueur qu'il doit avoir") from None
    if found != root:
        raise Refusal("la trace n° %d donnée n'est pas celle que ce point de contrôle atteste" % index)


def check_consistency(older, newer, proof, older_root, newer_root):
    check_hashes([older_root, newer_root] + proof)
    if older == 0:
        raise Refusal("partir d'un journal vide ne prouve rien : prenez un point de contrôle d'au moins une trace")
    if older > newer:
        raise Refusal("le plus récent a %d traces, moins que les %d de l'ancien : tronqué" % (newer, older))
    try:
        found = subproof_roots(older, newer, True, proof, older_root)
    except BadProof:
        raise Refusal("la preuve de continuité n'a pas la longueur qu'elle doit avoir") from None
    if found != (older_root, newer_root):
        raise Refusal(
            "le journal de %d traces ne prolonge pas celui de %d : au moins une des %d premières traces a changé"
            % (newer, older, older)
        )


# --- signed notes, checkpoints, cosignatures (C2SP) -----------------------------------------------------------------

LOG_KEY, WITNESS_KEY = 1, 4
# White_Space of Unicode beyond the control characters, which are refused everywhere.
SPACES = frozenset("\u0020\u0085\u00a0\u1680\u2028\u2029\u202f\u205f\u3000") | {chr(c) for c in range(0x2000, 0x200B)}


def is_key_name(name):
    return name != "" and not any(c in SPACES or c == "+" or c < " " or "\x7f" <= c <= "\x9f" for c in name)


class Key:
    """A verifier key (vkey): name, id, kind, 32 bytes."""

    def __init__(self, text, kind):
        parts = text.split("+", 2)
        if len(parts) != 3 or not is_key_name(parts[0]):
            raise Refusal("clé « %s » : elle s'écrit nom+identifiant+clé" % shown(text))
        self.name = parts[0]
        data = unbase64(parts[2], "clé de « %s »" % shown(self.name))
        if len(data) != 33 or data[0] != kind:
            wanted = "de journal (type 1)" if kind == LOG_KEY else "de témoin (type 4)"
            raise Refusal("clé de « %s » : ce n'est pas une clé Ed25519 %s" % (shown(self.name), wanted))
        self.kind, self.public = kind, data[1:]
        self.id = hashlib.sha256(self.name.encode("utf-8") + b"\n" + data).digest()[:4]
        if parts[1] != self.id.hex():
            raise Refusal("clé de « %s » : l'identifiant n'est pas celui de cette clé" % shown(self.name))
        if public_point(self.public) is None:
            raise Refusal("clé de « %s » : ce n'est pas une clé sûre (ordre ou écriture)" % shown(self.name))

    def signed_bytes(self, lines):
        """The signature of this key among the lines; None if there is none."""
        found = [data for name, key_id, data in lines if name == self.name and key_id == self.id]
        if len(found) > 1:
            raise Refusal("la clé « %s » a signé deux fois la même note" % shown(self.name))
        return found[0] if found else None


class Note:
    """A signed note (C2SP signed-note); nothing in it is believed before a signature was checked."""

    def __init__(self, data, what):
        self.what, self.note = what, data
        if len(data) > LONGEST_NOTE:
            raise Refusal("%s : note trop longue" % what)
        note = utf8(data, what)
        if any(c < " " and c != "\n" for c in note):
            hint = " (fins de ligne de Windows ?)" if "\r" in note else ""
            raise Refusal("%s : caractère de contrôle%s" % (what, hint))
        cut = note.rfind("\n\n")
        if cut < 0 or not note.endswith("\n"):
            raise Refusal("%s : ce n'est pas une note signée complète" % what)
        self.text = note[: cut + 1]
        self.signatures = [self.signature(line) for line in note[cut + 2 : -1].split("\n")]
        if len(self.signatures) > MOST_SIGNATURES:
            raise Refusal("%s : trop de signatures" % what)

    def signature(self, line):
        match = re.fullmatch("\u2014 ([^ ]+) ([^ ]+)", line)
        if not match or not is_key_name(match.group(1)):
            raise Refusal("%s : ligne de signature mal formée" % self.what)
        data = unbase64(match.group(2), "%s, signature de « %s »" % (self.what, shown(match.group(1))))
        if len(data) < 5:
            raise Refusal("%s : signature trop courte" % self.what)
        return match.group(1), data[:4], data[4:]

    def check_signed(self, keys):
        """Signed by one of these keys; every one of them that signed must have signed well."""
        signed = False
        for key in keys:
            signature = key.signed_bytes(self.signatures)
            if signature is None:
                continue
            if not ed25519_verify(key.public, self.text.encode("utf-8"), signature):
                raise Refusal("%s : la signature du journal est fausse" % self.what)
            signed = True
        if not signed:
            raise Refusal("%s : aucune clé donnée ne l'a signé" % self.what)


class Checkpoint(Note):
    """A signed note whose text is a checkpoint; nothing in it is believed before `check_log` or `cosigned`."""

    def __init__(self, data, what):
        super().__init__(data, what)
        lines = self.text[:-1].split("\n")
        if len(lines) < 3 or "" in lines:
            raise Refusal("%s : il faut au moins trois lignes, et aucune vide" % what)
        # Whether it was kept elsewhere: only then it may be of what was declared lost.
        self.from_outside = True
        self.origin = lines[0]
        self.size = decimal(lines[1], "%s, taille" % what)
        self.root = unhash(lines[2], "%s, racine" % what)
        if self.size == 0 and self.root != Tree().root():
            raise Refusal("%s : la racine d'un journal vide n'est pas celle-là" % what)

    def check_log(self, keys):
        """Signed by a key of this log; every key given that signed must have signed well."""
        own = [key for key in keys if key.name == self.origin]
        if not own:
            names = ", ".join(sorted({shown(key.name) for key in keys}))
            raise Refusal("%s : c'est le journal « %s », pas « %s »" % (self.what, shown(self.origin), names))
        self.check_signed(own)

    def cosigned(self, key):
        """When this witness cosigned, in seconds; None if it did not."""
        data = key.signed_bytes(self.signatures)
        if data is None:
            return None
        name = shown(key.name)
        at = int.from_bytes(data[:8], "big")
        if len(data) != 72 or at > 2**63 - 1:
            raise Refusal("%s : la cosignature du témoin « %s » est mal formée" % (self.what, name))
        message = b"cosignature/v1\ntime %d\n" % at + self.text.encode("utf-8")
        if not ed25519_verify(key.public, message, data[8:]):
            raise Refusal("%s : la cosignature du témoin « %s » est fausse" % (self.what, name))
        if at > time.time() + CLOCK_TOLERANCE:
            raise Refusal("%s : la cosignature du témoin « %s » est datée du futur" % (self.what, name))
        return at


# --- whom to trust (C2SP tlog-policy) -------------------------------------------------------------------------------


class Policy:
    """Logs, witnesses, groups and the quorum. Names are bytes, as the format has it."""

    def __init__(self, data):
        self.logs, self.witnesses, self.groups, self.quorum = [], {}, {}, None
        self.members = set()
        if any(b < 0x20 and b not in (0x09, 0x0A) or b == 0x7F for b in data):
            raise Refusal("politique : caractère de contrôle (fins de ligne de Windows ?)")
        if not data.endswith(b"\n"):
            raise Refusal("politique : la dernière ligne n'est pas terminée")
        for number, line in enumerate(data[:-1].split(b"\n"), 1):
            words = [word for word in re.split(rb"[ \t]+", line) if word]
            if words and not words[0].startswith(b"#"):
                try:
                    self.line(words)
                except Refusal as refusal:
                    raise Refusal("politique, ligne %d : %s" % (number, refusal)) from None
        if self.quorum is None:
            raise Refusal("politique : il manque la ligne « quorum »")
        own = {key.public for key in self.logs}
        if any(key.public in own for key in self.witnesses.values()):
            raise Refusal("politique : un témoin a la clé du journal qu'il doit surveiller")

    def line(self, words):
        kind, rest = words[0], words[1:]
        if kind == b"log" and len(rest) in (1, 2):
            key = Key(utf8(rest[0], "clé"), LOG_KEY)
            if any(key.public == other.public for other in self.logs):
                raise Refusal("deux fois le même journal")
            self.logs.append(key)
        elif kind == b"witness" and len(rest) in (2, 3):
            key = Key(utf8(rest[1], "clé"), WITNESS_KEY)
            if any(key.public == other.public for other in self.witnesses.values()):
                raise Refusal("deux fois le même témoin")
            self.witnesses[self.new_name(rest[0])] = key
        elif kind == b"group" and len(rest) >= 3:
            name, members = self.new_name(rest[0]), rest[2:]
            for member in members:
                if member not in self.witnesses and member not in self.groups:
                    raise Refusal("« %s » n'est pas défini plus haut" % self.word(member))
                if member in self.members:
                    raise Refusal("« %s » est déjà membre d'un groupe" % self.word(member))
                self.members.add(member)
            least = {b"any": 1, b"all": len(members)}.get(rest[1])
            if least is None:
                least = decimal(utf8(rest[1], "seuil"), "seuil", len(members))
            if least < 1:
                raise Refusal("le seuil d'un groupe est d'au moins 1")
            self.groups[name] = (least, members)
        elif kind == b"quorum" and len(rest) == 1:
            if self.quorum is not None:
                raise Refusal("deux lignes « quorum »")
            if rest[0] != b"none" and rest[0] not in self.witnesses and rest[0] not in self.groups:
                raise Refusal("« %s » n'est pas défini plus haut" % self.word(rest[0]))
            self.quorum = rest[0]
        else:
            raise Refusal("ligne inconnue ou incomplète")

    def new_name(self, name):
        if name == b"none" or name in self.witnesses or name in self.groups:
            raise Refusal("le nom « %s » est déjà pris" % self.word(name))
        return name

    @staticmethod
    def word(name):
        return shown(name.decode("utf-8", "backslashreplace"))

    def met(self, name, times):
        if name in self.witnesses:
            return name in times
        least, members = self.groups[name]
        return sum(self.met(member, times) for member in members) >= least

    def check(self, checkpoint):
        """The quorum holds; returns when each witness cosigned."""
        times = {}
        for name, key in self.witnesses.items():
            at = checkpoint.cosigned(key)
            if at is not None:
                times[name] = at
        if self.quorum != b"none" and not self.met(self.quorum, times):
            raise Refusal(
                "%s : le quorum de témoins (« %s ») n'est pas atteint ; ont cosigné : %s"
                % (checkpoint.what, self.word(self.quorum), ", ".join(map(self.word, sorted(times))) or "aucun")
            )
        return times


class Trust:
    """The keys of the log, and the policy where one was given."""

    def __init__(self, vkeys, policy):
        self.policy = policy
        self.keys = [Key(text, LOG_KEY) for text in vkeys]
        if len({key.public for key in self.keys}) != len(self.keys):
            raise Refusal("la même clé de journal est donnée deux fois")
        if policy is not None:
            known = {(key.name, key.public) for key in policy.logs}
            if policy.logs and not all((key.name, key.public) in known for key in self.keys):
                raise Refusal("la clé donnée n'est pas une de celles de la politique")
            own = {key.public for key in self.keys}
            if any(key.public in own for key in policy.witnesses.values()):
                raise Refusal("politique : un témoin a la clé du journal qu'il doit surveiller")
            self.keys = self.keys or policy.logs
        if not self.keys:
            raise Refusal("aucune clé de journal : donnez --key, --key-file, ou une politique qui nomme le journal")

    def check(self, checkpoint):
        """Log and witnesses; a sentence for each thing learned."""
        checkpoint.check_log(self.keys)
        if self.policy is None:
            return ["Témoins : non vérifiés (aucune politique donnée)."]
        times = self.policy.check(checkpoint)
        if self.policy.quorum == b"none":
            return ["Témoins : cette politique n'en exige aucun."]
        seen = ["%s (%s)" % (Policy.word(name), minute(at)) for name, at in sorted(times.items())]
        return ["Témoins : %s." % ", ".join(seen)]


def minute(seconds):
    try:
        at = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    except (ValueError, OverflowError, OSError):
        return "date impossible"
    return at.strftime("%Y-%m-%d %H:%M UTC")


# --- records (canonical JSON, schema 1) -----------------------------------------------------------------------------

MOST_INTEGER = 2**53 - 1


def is_text(value):
    return isinstance(value, str)


def is_integer(value):
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_INTEGER


def is_counter(value):
    return is_integer(value) and value < 2**32


def form(pattern):
    compiled = re.compile(pattern)
    return lambda value: is_text(value) and compiled.fullmatch(value) is not None


is_word = form(r"[a-z][a-z0-9_.-]*")
is_id = form(r"[a-km-np-z2-9]{26}")
is_pseudonym = form(r"[0-9]{4}[dt]:[0-9a-f]{32}")
is_digest = form(r"[0-9a-f]{64}")


def list_of(check):
    # An empty list would be a second way to say "absent".
    return lambda value: isinstance(value, list) and value != [] and all(check(item) for item in value)


def is_ascending(value):
    return list_of(is_word)(value) and all(a < b for a, b in zip(value, value[1:]))


COLUMNS = (
    "accord", "author_secrecy", "category", "family_released", "purpose", "recipient_profession", "recipient_secrecy",
    "statute",
)  # fmt: skip
FACT_NEEDED = {"objects": is_counter, "outcome": form("permit|deny"), "reason": is_word}
FACT_MAY = dict.fromkeys(COLUMNS, is_word)
FACT_MAY.update(failing=list_of(is_word), family_released=form("yes|no"))


def wrong_member(value, needed, may):
    """The name of the first member that is missing, unknown or malformed."""
    for name in sorted(set(value) | set(needed)):
        check = needed.get(name) or may.get(name)
        if check is None or name not in value or not check(value[name]):
            return name
    return None


def is_fact(value):
    if not isinstance(value, dict) or wrong_member(value, FACT_NEEDED, FACT_MAY) is not None:
        return False
    return sum(column in value for column in COLUMNS) in (0, len(COLUMNS))


RECORD_NEEDED = {
    "action": is_word,
    "at": is_integer,
    "blinder": form(r"[0-9a-f]{32}"),
    "decision": form("permit|deny|failed"),
    "request": is_id,
    "resource": is_word,
    "retention": form("disclosure|technical"),
    "v": lambda value: is_integer(value) and value == 1,
}
RECORD_MAY = {
    "actor": is_pseudonym,
    "basis": list_of(is_text),
    "categories": is_ascending,
    "clauses": list_of(is_text),
    "count": is_counter,
    "detail_commit": is_digest,
    "facts": list_of(is_fact),
    "function": is_word,
    "obligations": list_of(is_text),
    "organisation": is_id,
    "pathway": is_pseudonym,
    "policy_hashes": list_of(is_text),
    "profession": is_word,
    "purpose": is_word,
    "reasons": list_of(is_word),
    "result_digest": is_digest,
    "secrecy": is_word,
    "session": is_pseudonym,
    "write_digest": is_digest,
}


def no_number(text):
    raise ValueError(text)


def short_integer(text):
    # Before any conversion: a number of a million digits costs minutes.
    if len(text) > 17:
        raise ValueError(text[:17])
    return int(text)


def canonical(data, what):
    """JSON in its only spelling: sorted members, no space, integers and strings."""
    text = utf8(data, what)
    try:
        value = json.loads(text, parse_int=short_integer, parse_float=no_number, parse_constant=no_number)
        again = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError):
        raise Refusal("%s : ce n'est pas du JSON" % what) from None
    # A member given twice, another order, an escape too many, a space: all come back otherwise.
    if again != data:
        raise Refusal("%s : JSON écrit autrement que de la seule façon permise" % what)
    return value


def read_record(data, what):
    value = canonical(data, what)
    if not isinstance(value, dict):
        raise Refusal("%s : ce n'est pas une trace" % what)
    if is_integer(value.get("v")) and value["v"] != 1:
        raise Refusal("%s : schéma %d, inconnu de ce programme" % (what, value["v"]))
    wrong = wrong_member(value, RECORD_NEEDED, RECORD_MAY)
    if wrong is not None:
        raise Refusal("%s : le membre « %s » manque, est inconnu ou mal formé" % (what, shown(wrong)))
    return value


# --- declared losses (docs/adr/0012) --------------------------------------------------------------------------------


def declares(record):
    return record["action"] == "accept_gap" and record["decision"] == "permit"


class Gap:
    """From record `index` on the log bears another name; what had been attested beyond is gone."""

    def __init__(self, index, record, name):
        what = "trace n° %d : déclaration d'une perte" % index
        names = ("lost:", "lost_size:", "lost_root:", "origin:", "log_key:")
        basis = record.get("basis", [])
        if len(basis) != len(names) or not all(text.startswith(start) for text, start in zip(basis, names)):
            raise Refusal("%s mal formée" % what)
        lost, size, root, origin, _ = [text[len(start) :] for text, start in zip(basis, names)]
        self.index, self.at, self.first = index, record["at"], record
        self.lost, self.origin = lost, origin
        self.size, self.root = decimal(size, what), unhash(root, what)
        if self.lost != name or self.size <= index or self.lost == self.origin:
            raise Refusal("%s : elle ne suit pas le journal « %s »" % (what, shown(name)))
        if record["resource"] != "checkpoint" or record["retention"] != "disclosure" or "actor" not in record:
            raise Refusal("%s mal formée" % what)

    def second(self, record):
        same = all(record.get(member) == self.first.get(member) for member in ("basis", "request", "resource", "retention"))
        if not declares(record) or not same or record.get("actor") in (None, self.first["actor"]):
            raise Refusal("trace n° %d : la perte n'est pas déclarée par deux personnes" % self.index)

    def covers(self, checkpoint):
        return checkpoint.size < self.size or (checkpoint.size == self.size and checkpoint.root == self.root)

    def sentence(self):
        return (
            "PERTE DÉCLARÉE à la trace n° %d, le %s, par deux personnes : sous le nom « %s », le journal avait au moins "
            "%d traces (racine %s). Les traces n° %d à %d de ce temps-là ne sont plus là. Depuis, il s'appelle « %s »."
            % (
                self.index,
                minute(self.at // 1_000_000),
                shown(self.lost),
                self.size,
                base64.b64encode(self.root).decode("ascii"),
                self.index,
                self.size - 1,
                shown(self.origin),
            )
        )


class Names:
    """The name of the log at each size, followed through the records; and what it had under an earlier one."""

    def __init__(self, first):
        self.now, self.gaps, self.half = first, [], None

    def follow(self, index, record):
        if self.half is not None:
            self.half.second(record)
            self.half = None
        elif declares(record):
            self.half = Gap(index, record, self.now)
            self.now = self.half.origin
            self.gaps.append(self.half)

    def declared_lost(self, checkpoint):
        """Of another name than the log has: right only if it is of what was declared lost."""
        for gap in self.gaps:
            if gap.lost == checkpoint.origin and checkpoint.from_outside:
                if gap.covers(checkpoint):
                    return True
                raise Refusal(
                    "%s : il atteste plus, ou autre chose, que la perte déclarée à la trace n° %d : davantage a été perdu "
                    "que ce que deux personnes ont dit" % (checkpoint.what, gap.index)
                )
        raise Refusal("%s : il porte un autre nom que celui du journal à cette taille" % checkpoint.what)

    def finish(self):
        if self.half is not None:
            raise Refusal("trace n° %d : la perte n'est pas déclarée par deux personnes" % self.half.index)


# --- prunings (docs/adr/0003-log-format.md) -------------------------------------------------------------------------

PRUNED_LINE = b'{"leaf_hash":'
PRUNE_START = b'{"action":"prune",'
# LAW §6: how many days a record keeps its body at least; a class that is not here is never pruned.
LEAST_DAYS = {"technical": 365}
DAY = 24 * 3600 * 1_000_000
NUMBER = "(0|[1-9][0-9]{0,18})"
REQUEST = re.compile("pruning:[a-km-np-z2-9]{26}:(disclosure|technical):%s:%s:%s" % (NUMBER, NUMBER, NUMBER))
COVERED = re.compile("prune:%s:%s:([0-9a-f]{64})" % (NUMBER, NUMBER))


def pruned_record(data, what):
    """What an export has in the place of a pruned record: its class and its leaf hash."""
    value = canonical(data, what)
    if not isinstance(value, dict) or set(value) != {"leaf_hash", "pruned"}:
        raise Refusal("%s : ce n'est pas une trace élaguée" % what)
    if value["pruned"] not in ("disclosure", "technical") or not is_text(value["leaf_hash"]):
        raise Refusal("%s : trace élaguée mal formée" % what)
    return value["pruned"], unhash(value["leaf_hash"], what)


class Cover:
    """What a record of a pruning says that it covers."""

    def __init__(self, record, index, what):
        self.index, self.at = index, record["at"]
        basis = record.get("basis", [])
        covered = COVERED.fullmatch(basis[0]) if len(basis) == 2 else None
        request = REQUEST.fullmatch(basis[1]) if len(basis) == 2 else None
        wanted = {"action": "prune", "resource": "audit_log", "decision": "permit", "retention": "disclosure"}
        kept = all(record[name] == word for name, word in wanted.items()) and "detail_commit" in record
        if covered is None or request is None or not kept or "count" not in record:
            raise Refusal("%s : l'élagage n'est pas écrit comme il doit l'être" % what)
        self.kind, self.request, self.count = request.group(1), basis[1], record["count"]
        least, most, self.before = (int(request.group(n)) for n in (2, 3, 4))
        self.first, self.last, self.digest = int(covered.group(1)), int(covered.group(2)), covered.group(3)
        self.seen, self.hash = 0, hashlib.sha256()
        if not least <= self.first <= self.last <= most or not self.last < index:
            raise Refusal("%s : l'élagage n'est pas écrit comme il doit l'être" % what)

    def in_time(self):
        days = LEAST_DAYS.get(self.kind)
        return days is not None and self.before + days * DAY <= self.at


class Prunings:
    """Told by a first pass over the export, held against its lines by the second."""

    def __init__(self):
        self.covers, self.starts, self.asked, self.confirmed = {}, {}, {}, {}
        self.pruned = 0

    def foretell(self, file):
        for index, line in enumerate(export_lines(file)):
            if line.startswith(PRUNE_START):
                try:
                    what = "trace n° %d" % index
                    cover = Cover(read_record(line, what), index, what)
                except Refusal:
                    continue  # Named when its line comes.
                mine = self.covers.setdefault(cover.kind, [])
                if not mine or mine[-1].last < cover.first:
                    mine.append(cover)
        for kind, covers in self.covers.items():
            self.starts[kind] = [cover.first for cover in covers]
        file.seek(0)

    def over(self, index, kind):
        at = bisect.bisect_right(self.starts.get(kind, []), index) - 1
        return self.covers[kind][at] if at >= 0 and index <= self.covers[kind][at].last else None

    def erased(self, index, kind, digest, since, what):
        """A record without its body; `since` is the time of the last one before it that has its own."""
        cover = self.over(index, kind)
        if cover is None:
            if any(self.over(index, other) for other in self.covers):
                raise Refusal("%s : effacée sous un élagage qui ne concerne pas cette sorte de traces" % what)
            raise Refusal("%s : son contenu a été effacé, et aucun élagage ne la couvre" % what)
        if not cover.in_time() or (since is not None and since >= cover.before):
            raise Refusal("%s : effacée avant la fin de sa durée de conservation" % what)
        cover.hash.update(index.to_bytes(8, "big") + digest)
        cover.seen += 1
        self.pruned += 1
        return cover

    def whole(self, index, record, what):
        if self.over(index, record["retention"]) is not None:
            raise Refusal("%s : un élagage la couvre, et elle a encore son contenu" % what)
        if record["resource"] == "pruning" and record["decision"] == "permit":
            who = {"create": self.asked, "confirm": self.confirmed}.get(record["action"])
            for mark in record.get("basis", []) if who is not None else []:
                who[mark] = record.get("actor")
        if record["action"] == "prune":
            self.judge(index, Cover(record, index, what), what)

    def judge(self, index, cover, what):
        told = next((c for c in self.covers.get(cover.kind, []) if c.index == index), None)
        if told is None:
            raise Refusal("%s : l'élagage n'est pas écrit comme il doit l'être" % what)
        if not told.in_time():
            raise Refusal("%s : élagage avant la fin de la durée de conservation" % what)
        if told.seen != told.count or told.hash.hexdigest() != told.digest:
            raise Refusal("%s : les traces effacées ne sont pas exactement celles que cet élagage annonce" % what)
        asked, confirmed = self.asked.get(cover.request), self.confirmed.get(cover.request)
        # Pseudonyms change with the year: of two years, they do not say whether it is one person.
        if asked is None or confirmed is None or asked == confirmed or asked[:4] != confirmed[:4]:
            raise Refusal("%s : l'élagage ne repose pas sur deux personnes" % what)


# --- exports --------------------------------------------------------------------------------------------------------

LAST_LINE = b'{"checkpoint":'


def export_lines(file):
    """Lines without their end; each must have one."""
    number = 0
    while True:
        line = file.readline(LONGEST_LINE)
        if not line:
            return
        if not line.endswith(b"\n"):
            too_long = len(line) >= LONGEST_LINE
            raise Refusal("ligne %d : %s" % (number + 1, "trop longue" if too_long else "coupée avant sa fin"))
        number += 1
        yield line[:-1]


def last_line(file):
    """The last line, without reading the rest of the file."""
    end = file.seek(0, os.SEEK_END)
    start = max(0, end - LONGEST_LINE)
    file.seek(start)
    tail = file.read(end - start)
    file.seek(0)
    if not tail.endswith(b"\n"):
        return b""
    return tail[:-1].rsplit(b"\n", 1)[-1]


def own_checkpoint(line, what):
    """The checkpoint at the end of an export."""
    value = canonical(line, what)
    if not isinstance(value, dict) or set(value) != {"checkpoint", "size"} or not is_text(value["checkpoint"]):
        raise Refusal("%s : dernière ligne mal formée" % what)
    checkpoint = Checkpoint(value["checkpoint"].encode("utf-8"), what)
    if not is_integer(value["size"]) or value["size"] != checkpoint.size:
        raise Refusal("%s : la taille annoncée n'est pas la sienne" % what)
    return checkpoint


class Walk:
    """One pass over an export: each record recomputed, each checkpoint compared at its size."""

    def __init__(self, checkpoints, earlier, name):
        self.tree = Tree()
        self.names = Names(name)
        self.lost = []
        self.earlier = earlier
        self.waiting = sorted(checkpoints, key=lambda c: c.size)
        self.attested = 0
        self.first = self.last = None
        self.prunings = Prunings()

    def meet(self):
        while self.waiting and self.waiting[0].size == self.tree.size:
            checkpoint = self.waiting.pop(0)
            if checkpoint.origin != self.names.now and self.names.declared_lost(checkpoint):
                self.lost.append(checkpoint)
                continue
            if checkpoint.root != self.tree.root():
                if 0 < checkpoint.size == self.attested:
                    raise Refusal("%s : il en contredit un autre de même taille" % checkpoint.what)
                raise Refusal(
                    "%s : le journal n'est pas celui qu'il atteste ; la première trace en cause est entre la n° %d "
                    "et la n° %d" % (checkpoint.what, self.attested, max(self.attested, checkpoint.size - 1))
                )
            self.attested = checkpoint.size

    def line(self, line):
        index = self.tree.size
        what = "trace n° %d" % index
        kept = next(self.earlier, None)
        if line.startswith(PRUNED_LINE):
            kind, digest = pruned_record(line, what)
            if kept is not None and kept != line and leaf_hash(kept) != digest:
                raise Refusal("%s : ce n'est pas celle de l'export gardé" % what)
            self.names.finish()  # The second half of a declaration is never pruned.
            cover = self.prunings.erased(index, kind, digest, self.last, what)
            if kept is not None and not kept.startswith(PRUNED_LINE):
                # Its hash is that of the whole record that was kept: so are its class and its time.
                self.known(read_record(kept, what), kind, cover, what)
            self.tree.append(digest)
            self.meet()
            return
        if kept is not None and kept != line:
            raise Refusal("%s : ce n'est pas celle de l'export gardé" % what)
        record = read_record(line, what)
        if self.last is not None and record["at"] < self.last:
            raise Refusal("%s : son heure est antérieure à celle de la précédente" % what)
        self.last = record["at"]
        self.first = self.last if self.first is None else self.first
        self.names.follow(index, record)
        self.prunings.whole(index, record, what)
        self.tree.append(leaf_hash(line))
        self.meet()

    @staticmethod
    def known(record, kind, cover, what):
        """The whole record that was kept, held against the pruning that erased it."""
        if record["retention"] != kind:
            raise Refusal("%s : élaguée comme « %s » ; dans l'export gardé, c'est « %s »" % (what, kind, record["retention"]))
        if record["at"] >= cover.before:
            raise Refusal("%s : élaguée trop tôt ; dans l'export gardé, elle est plus récente que ce que dit l'élagage" % what)

    def run(self, file, last):
        self.prunings.foretell(file)
        self.meet()
        ended = False
        for line in export_lines(file):
            if ended:
                raise Refusal("trace n° %d : quelque chose suit le point de contrôle final" % self.tree.size)
            if line.startswith(LAST_LINE):
                ended = True
                if line != last:
                    raise Refusal("trace n° %d : un point de contrôle avant la dernière ligne" % self.tree.size)
            else:
                self.line(line)
        if next(self.earlier, None) is not None:
            raise Refusal("trace n° %d : l'export gardé l'a, celui-ci ne l'a plus" % self.tree.size)
        self.names.finish()
        for checkpoint in self.waiting:
            if checkpoint.origin != self.names.now and self.names.declared_lost(checkpoint):
                self.lost.append(checkpoint)
                continue
            raise Refusal(
                "%s : il atteste %d traces et l'export n'en a que %d : la fin a été coupée, ou des traces retirées à partir "
                "de la n° %d" % (checkpoint.what, checkpoint.size, self.tree.size, self.attested)
            )


def records_of(file):
    """The records of an export that was kept, up to its checkpoint."""
    for line in export_lines(file):
        if line.startswith(LAST_LINE):
            return
        yield line


def verify_export(trust, options):
    problems, checkpoints, learned = [], [], []

    def attempt(step):
        # Every file is looked at, so that one report says all that is wrong.
        try:
            step()
        except Refusal as refusal:
            problems.append(str(refusal))

    def keep(data, what):
        kept = Checkpoint(data, what)
        kept.check_log(trust.keys)
        checkpoints.append(kept)

    def keep_own(line):
        own = own_checkpoint(line, "point de contrôle de l'export")
        own.from_outside = False
        learned.extend(trust.check(own))
        checkpoints.append(own)

    def keep_earlier(line):
        what = "point de contrôle de l'export gardé"
        keep(own_checkpoint(line, what).note, what)

    for path in options.checkpoint:
        what = "point de contrôle gardé (%s)" % shown(os.path.basename(path))
        attempt(lambda: keep(read_file(path, LONGEST_NOTE), what))
    with contextlib.ExitStack() as files:
        file, earlier = files.enter_context(opened(options.file)), iter(())
        if options.previous is not None:
            kept_file = files.enter_context(opened(options.previous))
            kept_line = last_line(kept_file)
            if kept_line.startswith(LAST_LINE):
                attempt(lambda: keep_earlier(kept_line))
            earlier = records_of(kept_file)
        line = last_line(file)
        if line.startswith(LAST_LINE):
            attempt(lambda: keep_own(line))
        elif checkpoints:
            # Then the policy is asked of the newest checkpoint that there is.
            attempt(lambda: learned.extend(trust.check(max(checkpoints, key=lambda c: c.size))))
        walk = Walk(checkpoints, earlier, trust.keys[0].name)
        attempt(lambda: walk.run(file, line))
    if not checkpoints and not problems:
        problems.append("aucun point de contrôle, ni à la fin de l'export ni gardé : rien n'est attesté")
    beyond = walk.tree.size - walk.attested
    if options.complete and beyond and not problems:
        problems.append("trace n° %d : elle et les suivantes ne sont encore attestées par rien" % walk.attested)
    if problems:
        raise Refusal("\n".join(problems))
    said = ["Traces recalculées : %d." % walk.tree.size]
    for covers in walk.prunings.covers.values():
        for c in covers:
            said.append(
                "Élagage (trace n° %d, le %s) : %d traces (%s), du n° %d au n° %d, d'avant le %s ; il n'en reste que l'empreinte."
                % (c.index, minute(c.at // 1_000_000), c.count, c.kind, c.first, c.last, minute(c.before // 1_000_000))
            )
    if walk.first is not None:
        said.append("De %s à %s." % (minute(walk.first // 1_000_000), minute(walk.last // 1_000_000)))
    held = [str(c.size) for c in checkpoints if c not in walk.lost]
    said.append("Points de contrôle conformes, en nombre de traces : %s." % (", ".join(held) or "aucun"))
    if walk.lost:
        said.append("D'avant la perte déclarée : %s." % ", ".join(str(c.size) for c in walk.lost))
    if beyond:
        said.append(
            "Attention : les %d dernières (à partir de la n° %d) ne sont encore attestées par aucun point de contrôle."
            % (beyond, walk.attested)
        )
    else:
        said.append("Toutes sont attestées.")
    said.append("Racine : %s" % base64.b64encode(walk.tree.root()).decode("ascii"))
    said.append("Journal : %s" % shown(walk.names.now))
    if walk.names.gaps:
        raise DeclaredLoss("\n".join([gap.sentence() for gap in walk.names.gaps] + said + learned))
    return said + learned


def export_record(path, index):
    """One line of an export."""
    with opened(path) as file:
        for number, line in enumerate(records_of(file)):
            if number == index:
                if line.startswith(PRUNED_LINE):
                    raise Refusal("la trace n° %d est élaguée dans cet export : prenez-la dans un plus ancien" % index)
                return line
    raise Refusal("l'export n'a pas de trace n° %d" % index)


# --- single checkpoints, receipts, continuity -----------------------------------------------------------------------


def about(checkpoint):
    return [
        "Journal : %s" % shown(checkpoint.origin),
        "Traces attestées : %d." % checkpoint.size,
        "Racine : %s" % base64.b64encode(checkpoint.root).decode("ascii"),
    ]


def verify_checkpoint(trust, path):
    checkpoint = Checkpoint(read_file(path, LONGEST_NOTE), "point de contrôle")
    return about(checkpoint) + trust.check(checkpoint)


REPORT = "Relais, rapport mensuel du journal, version 1"


def verify_report(trust, path):
    report = Note(read_file(path, LONGEST_NOTE), "rapport")
    # The same key signs checkpoints: a text that is not a report is not told as one.
    if report.text.split("\n", 1)[0] != REPORT:
        raise Refusal("ce n'est pas un rapport mensuel : pour un point de contrôle, verify-checkpoint")
    report.check_signed(trust.keys)
    said = ["Le rapport est tel que le journal l'a signé :"] + [shown(line) for line in report.text[:-1].split("\n")]
    if trust.policy is not None:
        said.append("Témoins : un rapport n'est pas cosigné ; vérifiez le point de contrôle qu'il cite.")
    return said


class Receipt:
    """C2SP tlog-proof."""

    def __init__(self, data):
        head, blank, note = data.partition(b"\n\n")
        lines = utf8(head, "reçu").split("\n")
        if not blank or lines[0] != "c2sp.org/tlog-proof@v1":
            raise Refusal("reçu : ce n'est pas un reçu c2sp.org/tlog-proof@v1 complet")
        rest = lines[1:]
        self.extra = None
        if rest and rest[0].startswith("extra "):
            self.extra = unbase64(rest.pop(0)[len("extra ") :], "reçu, données jointes")
            if not self.extra:
                raise Refusal("reçu : une ligne « extra » vide")
        if not rest or not rest[0].startswith("index "):
            raise Refusal("reçu : il manque le numéro de la trace")
        self.index = decimal(rest[0][len("index ") :], "reçu, numéro")
        self.path = [unhash(line, "reçu, empreinte %d" % n) for n, line in enumerate(rest[1:], 1)]
        if len(self.path) > MOST_HASHES + 1:
            raise Refusal("reçu : plus d'empreintes qu'un arbre n'a d'étages")
        self.checkpoint = Checkpoint(note, "point de contrôle du reçu")


def verify_receipt(trust, path, record_path, export_path):
    receipt = Receipt(read_file(path, LONGEST_RECEIPT))
    learned = trust.check(receipt.checkpoint)
    if record_path is not None:
        body = read_file(record_path, LONGEST_LINE)
        # A line cut out of an export ends like one; a record never does.
        body = body[:-1] if body.endswith(b"\n") else body
    elif export_path is not None:
        body = export_record(export_path, receipt.index)
    elif receipt.extra is not None:
        # Not trusted for being there: hashed like any other, it must lead to the signed root.
        body = receipt.extra
    else:
        raise Refusal(
            "le reçu est signé, mais il ne contient pas la trace n° %d : donnez-la avec --record ou --export"
            % receipt.index
        )
    checkpoint = receipt.checkpoint
    check_inclusion(leaf_hash(body), receipt.index, checkpoint.size, receipt.path, checkpoint.root)
    record = read_record(body, "trace n° %d" % receipt.index)
    said = [
        "Trace n° %d du journal, le %s : action « %s », décision « %s »."
        % (receipt.index, minute(record["at"] // 1_000_000), record["action"], record["decision"])
    ]
    return said + about(checkpoint) + learned


def verify_consistency(trust, old_path, new_path, proof_path):
    older = Checkpoint(read_file(old_path, LONGEST_NOTE), "ancien point de contrôle")
    newer = Checkpoint(read_file(new_path, LONGEST_NOTE), "nouveau point de contrôle")
    older.check_log(trust.keys)
    learned = trust.check(newer)
    if older.origin != newer.origin:
        raise Refusal("ces deux points de contrôle ne sont pas du même journal")
    data = read_file(proof_path, LONGEST_NOTE)
    if data and not data.endswith(b"\n"):
        raise Refusal("preuve : la dernière ligne n'est pas terminée")
    lines = utf8(data, "preuve").split("\n")[:-1]
    # As in a request to a witness (C2SP tlog-witness), the older size may come first.
    if lines and lines[0].startswith("old "):
        if decimal(lines.pop(0)[len("old ") :], "preuve, taille") != older.size:
            raise Refusal("preuve : elle ne part pas de l'ancien point de contrôle")
    if len(lines) > MOST_HASHES:
        raise Refusal("preuve : plus d'empreintes qu'un arbre n'a d'étages")
    proof = [unhash(line, "preuve, ligne %d" % n) for n, line in enumerate(lines, 1)]
    check_consistency(older.size, newer.size, proof, older.root, newer.root)
    return ["Le journal de %d traces prolonge celui de %d." % (newer.size, older.size)] + about(newer) + learned


# --- the command line -----------------------------------------------------------------------------------------------


class Parser(argparse.ArgumentParser):
    def error(self, message):
        sys.stderr.write("Commande incomplète ou mal écrite (%s).\n%s" % (message, self.format_usage()))
        sys.exit(2)


@functools.lru_cache(maxsize=1)
def parser():
    top = Parser(prog="relais_verify.py", description="Vérifie un journal de Relais sans Relais.", allow_abbrev=False)
    commands = top.add_subparsers(dest="command", required=True, metavar="commande", parser_class=Parser)

    def command(name, words):
        sub = commands.add_parser(name, help=words, description=words, allow_abbrev=False)
        sub.add_argument("--key", action="append", default=[], metavar="CLÉ", help="clé publique du journal")
        sub.add_argument("--key-file", action="append", default=[], metavar="FICHIER", help="fichier qui la contient")
        sub.add_argument("--policy", metavar="FICHIER", help="politique c2sp.org/tlog-policy : les témoins exigés")
        return sub

    export = command("verify-export", "vérifie un export, trace par trace")
    export.add_argument("file", metavar="EXPORT")
    export.add_argument(
        "--checkpoint", action="append", default=[], metavar="FICHIER", help="point de contrôle gardé (répétable)"
    )
    export.add_argument(
        "--previous", metavar="EXPORT", help="export gardé : celui-ci doit commencer par les mêmes traces"
    )
    export.add_argument("--complete", action="store_true", help="refuse des traces finales que rien n'atteste encore")
    checkpoint = command("verify-checkpoint", "vérifie un point de contrôle")
    checkpoint.add_argument("file", metavar="FICHIER")
    report = command("verify-report", "vérifie la signature d'un rapport mensuel")
    report.add_argument("file", metavar="RAPPORT")
    receipt = command("verify-receipt", "vérifie le reçu d'une trace")
    receipt.add_argument("file", metavar="REÇU")
    source = receipt.add_mutually_exclusive_group()
    source.add_argument("--record", metavar="FICHIER", help="la trace elle-même, telle que dans l'export")
    source.add_argument("--export", metavar="FICHIER", help="un export où la prendre")
    consistency = command("verify-consistency", "vérifie qu'un point de contrôle en prolonge un autre")
    consistency.add_argument("old", metavar="ANCIEN")
    consistency.add_argument("new", metavar="NOUVEAU")
    consistency.add_argument("proof", metavar="PREUVE")
    return top


def trusted(options):
    vkeys = list(options.key)
    for path in options.key_file:
        vkeys.append(utf8(read_file(path, 10_000), "fichier de clé").rstrip("\r\n"))
    policy = None if options.policy is None else Policy(read_file(options.policy, LONGEST_NOTE))
    return Trust(vkeys, policy)


def run(options):
    trust = trusted(options)
    if options.command == "verify-export":
        return verify_export(trust, options)
    if options.command == "verify-checkpoint":
        return verify_checkpoint(trust, options.file)
    if options.command == "verify-report":
        return verify_report(trust, options.file)
    if options.command == "verify-receipt":
        return verify_receipt(trust, options.file, options.record, options.export)
    return verify_consistency(trust, options.old, options.new, options.proof)


def main(arguments=None):
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    options = parser().parse_args(arguments)
    try:
        said = run(options)
    except Refusal as refusal:
        print("NE TIENT PAS.\n%s" % refusal)
        return 1
    except DeclaredLoss as loss:
        print("CE QUI EST LÀ TIENT, ET UNE PARTIE EST DÉCLARÉE PERDUE.\n%s" % loss)
        return 3
    except Unreadable as problem:
        sys.stderr.write("%s\n" % problem)
        return 2
    print("\n".join(["TOUT TIENT."] + said))
    return 0


if __name__ == "__main__":
    sys.exit(main())
